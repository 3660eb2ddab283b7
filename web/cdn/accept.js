// A CloudFront Function for the requests of pictures. A thumbnail is a WebP or a JPEG, but browsers write dozens of
// Accept headers. One of two stands for each, so CloudFront keeps two copies. It decides as shared/thumbnail.py does.
// And %61 is an a (RFC 3986, section 6.2.2.2): CloudFront would keep a copy for each way to write an address.
// It is deployed from template.yaml, which has the same text.
function handler(event) {
  const headers = event.request.headers, ranges = {};
  (headers.accept ? headers.accept.value : '').toLowerCase().replace(/\s/g, '').split(',').forEach((entry) => {
    const quality = /;q=(0(?:\.[0-9]{0,3})?|\.[0-9]{1,3}|1(?:\.0{0,3})?)(?=;|$)/.exec(entry);
    ranges[entry.split(';')[0]] = quality ? parseFloat(quality[1]) : 1;
  });
  const of = (type) => [type, 'image/*', '*/*', '*'].map((name) => ranges[name]).find((q) => q !== undefined) || 0;
  const webp = of('image/webp') > 0 && of('image/webp') >= of('image/jpeg');
  event.request.uri = event.request.uri.replace(/%[2-7][0-9a-f]/gi, (code) => {
    const character = String.fromCharCode(parseInt(code.slice(1), 16));
    return /[A-Za-z0-9_~-]/.test(character) ? character : code;
  });
  headers.accept = { value: webp ? 'image/webp' : 'image/jpeg' };
  return event.request;
}
