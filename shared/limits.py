"""The largest requests, responses and files, in bytes, with the arithmetic behind each."""

# Quotas of the platform, which AWS does not raise.  The front of `make run` enforces them, too.
EVENT_MAX = 6 * 1024 * 1024  # of the JSON that Lambda takes as an event
RESPONSE_MAX = EVENT_MAX + 100  # of the JSON that Lambda returns: 6,291,556
HEAD_MAX = 10_240  # of the request line and the headers that API Gateway takes
RESPONSE_SECONDS = 29  # that API Gateway waits for a function

# A body travels in base64, which makes 4 bytes of 3: 4,500,000 become 6,000,000.  The remaining 291,456 bytes of
# EVENT_MAX are for the rest of the event: API Gateway takes HEAD_MAX bytes of headers, and repeats them in the event.
BODY_MAX = 4_500_000  # of a request or a response

# A camera's JPEG of 50,000,000 pixels and high quality has 3.2 bits for each, which are 20,000,000 bytes.  The function
# that checks a file holds it twice, as it came and cleaned, beside its pixels.
FILE_MAX = 20_000_000  # of a file that goes straight to S3
