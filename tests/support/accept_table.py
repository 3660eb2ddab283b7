"""Accept headers, and what each says about JSON, JPEG and WebP: for the parser and for the function of the CDN."""

CHROME_IMAGE = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"
CHROME_ADDRESS = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8"
FIREFOX_IMAGE = "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"
OLD_JAVA = "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"
SAFARI_IMAGE = "image/webp,image/avif,video/*;q=0.8,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"

# Accept header: (quality of JSON, JPEG and WebP; whether a draw is JSON; the type of a thumbnail).
TABLE = {
    "": (0, 0, 0, False, "jpg"),
    "*/*": (1, 1, 1, False, "webp"),  # curl, fetch()
    CHROME_IMAGE: (0.8, 1, 1, False, "webp"),
    CHROME_ADDRESS: (0.8, 0.8, 1, False, "webp"),
    FIREFOX_IMAGE: (0.5, 0.8, 1, False, "webp"),
    SAFARI_IMAGE: (0.5, 0.8, 1, False, "webp"),
    OLD_JAVA: (0.2, 1, 0.2, False, "jpg"),
    "*": (1, 1, 1, False, "webp"),
    "*/*;q=0": (0, 0, 0, False, "jpg"),  # what `make run` puts in the place of no header
    "application/json;q=.5, image/*;q=.6": (0.5, 0.6, 0.6, False, "webp"),
    "application/json;q=.": (1, 0, 0, True, "jpg"),
    # JSON needs its name and a quality not below that of each picture.
    "application/json": (1, 0, 0, True, "jpg"),
    "application/json, text/plain, */*": (1, 1, 1, True, "webp"),  # axios: a tie is JSON
    "application/json, image/*": (1, 1, 1, True, "webp"),
    "application/json;q=0.5, */*;q=0.5": (0.5, 0.5, 0.5, True, "webp"),
    "image/*, application/json;q=0.5": (0.5, 1, 1, False, "webp"),
    "application/json;q=0.9, image/png": (0.9, 0, 0, False, "jpg"),  # a PNG is a picture as well
    "application/json, image/*;q=0.9": (1, 0.9, 0.9, True, "webp"),
    "application/json;q=0.001": (0.001, 0, 0, True, "jpg"),
    "application/json;q=0": (0, 0, 0, False, "jpg"),
    "application/json;q=0, */*": (0, 1, 1, False, "webp"),
    "application/*": (1, 0, 0, False, "jpg"),
    "application/problem+json": (0, 0, 0, False, "jpg"),
    "text/html": (0, 0, 0, False, "jpg"),
    # The most specific range counts, whatever its place.
    "*/*;q=0.1, application/json;q=0.2, image/*;q=0.3": (0.2, 0.3, 0.3, False, "webp"),
    "image/*;q=0, */*": (1, 0, 0, False, "jpg"),
    "image/webp, image/*;q=0": (0, 0, 1, False, "webp"),
    "image/webp;q=0, */*": (1, 1, 0, False, "jpg"),
    "image/webp;q=0.000, image/*": (0, 1, 0, False, "jpg"),
    # WebP wins a tie with JPEG.
    "image/*": (0, 1, 1, False, "webp"),
    "image/jpeg": (0, 1, 0, False, "jpg"),
    "image/png": (0, 0, 0, False, "jpg"),
    "image/jpeg, image/webp": (0, 1, 1, False, "webp"),
    "image/jpeg, image/webp;q=0.9": (0, 1, 0.9, False, "jpg"),
    "image/jpeg;q=0.8, image/webp;q=0.9": (0, 0.8, 0.9, False, "webp"),
    "image/jpeg, */*;q=0.1": (0.1, 1, 0.1, False, "jpg"),
    # Case and space do not matter, nor do other parameters.
    "APPLICATION/JSON ; Q=0.5": (0.5, 0, 0, True, "jpg"),
    "IMAGE/WebP ; Q=0.5": (0, 0, 0.5, False, "webp"),
    "application/json;charset=utf-8;q=0.3, */*;q=0.2": (0.3, 0.2, 0.2, True, "webp"),
    "image/webp;level=1;q=0.5": (0, 0, 0.5, False, "webp"),
    # A malformed q is left out, so the type has quality 1; the first q that can be read counts.
    "application/json;q=2": (1, 0, 0, True, "jpg"),
    "application/json;q=1.001": (1, 0, 0, True, "jpg"),
    "application/json;q=0.1234": (1, 0, 0, True, "jpg"),
    "application/json;q=-1": (1, 0, 0, True, "jpg"),
    "application/json;q=": (1, 0, 0, True, "jpg"),
    "application/json;q": (1, 0, 0, True, "jpg"),
    "application/json;q=nan, */*;q=0.5": (1, 0.5, 0.5, True, "webp"),
    "image/webp;q=x": (0, 0, 1, False, "webp"),
    "image/webp;q=0;q=1": (0, 0, 0, False, "jpg"),
    "application/json;q=0.;q=1": (0, 0, 0, False, "jpg"),
    ",,;;=,q=1": (0, 0, 0, False, "jpg"),
}
