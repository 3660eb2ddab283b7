// A CloudFront Function for the requests of pictures. A thumbnail is a WebP or a JPEG, but browsers write dozens of
// Accept headers. One of two stands for each, so CloudFront keeps two copies. It decides as shared/thumbnail.py does.
// It is deployed from template.yaml, which has the same text.
function handler(event) {
  const headers = event.request.headers, ranges = {};
  (headers.accept ? headers.accept.value : '').toLowerCase().replace(/\s/g, '').split(',').forEach((entry) => {
    const quality = /;q=(0(?:\.[0-9]{0,3})?|\.[0-9]{1,3}|1(?:\.0{0,3})?)(?=;|$)/.exec(entry);
    ranges[entry.split(';')[0]] = quality ? parseFloat(quality[1]) : 1;
  });
  const of = (type) => [type, 'image/*', '*/*', '*'].map((name) => ranges[name]).find((q) => q !== undefined) || 0;
  const webp = of('image/webp') > 0 && of('image/webp') >= of('image/jpeg');
  headers.accept = { value: webp ? 'image/webp' : 'image/jpeg' };
  return event.request;
}
