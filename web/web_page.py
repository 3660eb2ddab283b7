"""GET /: what this service is; and 404 and 405 for every path and method that no other function serves."""

from shared.api import Request, Response, elsewhere, endpoint

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>petAPI</title>
<h1>petAPI</h1>
<p>A weighted random image service: upload pictures with a label and a weight, ask for a random picture of a label,
and get one with probability exactly weight / total.</p>
<pre>
curl -F label=cat -F weight=0.7 -F img=@cat.jpg {base}upload
curl -o random.jpg -D - '{base}random?label=cat'
curl '{base}random?label=cat&amp;format=json'
</pre>
"""


def page(request: Request) -> Response:
    """A plain page with the three calls to begin with."""
    return Response(
        200,
        PAGE.format(base=request.base_url),
        {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"},
    )


handler = endpoint(
    {
        "/": {"GET": page},
        "/upload": {"POST": elsewhere},
        "/images": {"GET": elsewhere},
        "/mine": {"GET": elsewhere},
    }
)
