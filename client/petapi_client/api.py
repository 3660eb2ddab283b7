"""PetApi: the API of a petAPI as methods.

api = PetApi("http://127.0.0.1:3000")
boat = api.upload(Path("boat.jpg").read_bytes(), "boat", weight=Decimal("0.6"), filename="boat.jpg").image
api.random("boat").probability
"""

import time
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from petapi_client import answers, arguments
from petapi_client.arguments import Query
from petapi_client.form import form
from petapi_client.problem import Problem, Unreachable
from petapi_client.transport import Pause, Transport
from petapi_client.values import Draw, Hit, Image, Label, LawPage, State, Uploaded
from petapi_client.weights import text_of

FORM_MAX = 4_500_000  # bytes of the form of POST /upload; larger ones go by POST /uploads
FILE_MAX = 20_000_000  # bytes of a file of POST /uploads
PAGE = 100  # entries, the most that a page has
POLL = (0.3, 0.5, 1.0, 2.0)  # seconds between two looks at an upload; the last is repeated
FOLLOWED_MAX = 600.0  # seconds that an upload is followed


class PetApi:
    """The petAPI at `url`, such as http://127.0.0.1:3000 or https://example.com/Prod.

    `token` lets you write where the operator asks for one.  `pause` waits for so many seconds.  429 and 503 are waited
    for as Retry-After says.  A refusal is raised as Problem, a server that does not answer as Unreachable.
    """

    def __init__(self, url: str, token: str | None = None, *, pause: Pause = time.sleep) -> None:
        self._http, self._pause = Transport(url, token, pause), pause

    @property
    def url(self) -> str:
        """The address of the API, without a slash at the end."""
        return self._http.url

    # -- write ----------------------------------------------------------------------------------------------------

    def upload(
        self,
        picture: bytes,
        label: str,
        *,
        weight: Decimal | float | None = None,
        tags: Iterable[str] = (),
        filename: str = "",
    ) -> Uploaded:
        """Store a picture: up to FORM_MAX at once, a larger one as `upload_directly` does."""
        tags = arguments.tags(tags)
        texts = {"label": label, "tags": ",".join(tags)}
        texts |= {} if weight is None else {"weight": text_of(Decimal(f"{weight}"))}  # of a float, what Python prints
        body, content_type = form(texts, "img", arguments.picture(picture), filename)
        if len(body) > FORM_MAX:
            return self.upload_directly(picture, label, weight=weight, tags=tags, filename=filename)
        document, answer = self._http.ask(
            "POST", "/upload", write=True, data=body, headers={"Content-Type": content_type}
        )
        return Uploaded(answers.read(Image.of_json, document), answer.status_code == 201)

    def upload_directly(
        self,
        picture: bytes,
        label: str,
        *,
        weight: Decimal | float | None = None,
        tags: Iterable[str] = (),
        filename: str = "",
        until: str = "stored",
    ) -> Uploaded:
        """Send a picture of up to FILE_MAX straight to S3, and wait until it is `stored`, or even `recognised`."""
        asked: dict[str, Any] = {"label": label, "tags": sorted(arguments.tags(tags)), "filename": filename}
        if weight is not None:
            asked["weight"] = float(weight)  # nine digits at most, so that its text is exact
        content = arguments.picture(picture)
        begun, _ = self._http.ask("POST", "/uploads", write=True, json=asked)
        upload_id, url, fields = answers.read(answers.upload_form, begun)
        self._http.post_form(url, *form(fields, "file", content, ""))
        return Uploaded(self._follow(upload_id, until), None)

    def change(
        self,
        image_id: str,
        *,
        weight: Decimal | float | None = None,
        tags: Iterable[str] | None = None,
        filename: str | None = None,
        if_match: str | None = None,
    ) -> State:
        """Change what is given.  With `if_match`, an image that has changed since that entity tag is a 412."""
        given = {
            "weight": None if weight is None else float(weight),  # exact, as above
            "tags": None if tags is None else sorted(arguments.tags(tags)),
            "filename": filename,
        }
        changes = {name: value for name, value in given.items() if value is not None}
        headers = {"If-Match": if_match} if if_match else {}
        return answers.state(
            self._http.ask("PATCH", arguments.path(image_id), write=True, json=changes, headers=headers)
        )

    def delete(self, image_id: str, *, if_match: str | None = None) -> None:
        """Delete an image."""
        self._http.ask(
            "DELETE", arguments.path(image_id), write=True, headers={"If-Match": if_match} if if_match else {}
        )

    # -- read -----------------------------------------------------------------------------------------------------

    def image(self, image_id: str) -> State:
        """Get an image with its probability and its entity tag."""
        return answers.state(self._http.ask("GET", f"{arguments.path(image_id)}/info"))

    def picture(self, image_id: str, *, size: int | None = None) -> bytes:
        """Get the bytes of a picture, or of its thumbnail of 256, 512 or 1024 pixels."""
        return b"".join(self.blocks(image_id, size=size))

    def blocks(self, image_id: str, *, size: int | None = None) -> Iterator[bytes]:
        """Yield the bytes of a picture block by block."""
        return self._http.download(arguments.path(image_id), {"size": size} if size else None)

    def mosaic(self, image_id: str, *, columns: int | None = None, tiles: str | None = None) -> bytes:
        """Get the picture as a mosaic of pictures of the label `tiles`, as JPEG."""
        query = arguments.given({"columns": columns, "tiles": tiles})
        return b"".join(self._http.download(f"{arguments.path(image_id)}/mosaic", query))

    def images(self, label: str, *, tag: str | None = None) -> Iterator[Image]:
        """Yield all images of a label, sorted by name, or those with a tag."""
        for page in self._pages("/images", {"label": label, "tag": tag}):
            yield from answers.read(lambda json: [Image.of_json(each) for each in json["images"]], page)

    def labels(self) -> Iterator[Label]:
        """Yield all labels that have images."""
        for page in self._pages("/labels", {}):
            yield from answers.read(lambda json: [Label.of_json(each) for each in json["labels"]], page)

    def law(self, label: str) -> Iterator[LawPage]:
        """Yield the distribution of a label page by page.  A label without images is a 404."""
        for page in self._pages(f"/labels/{quote(label)}", {}):
            yield answers.read(LawPage.of_json, page)

    # -- draw and search ------------------------------------------------------------------------------------------

    def random(
        self,
        label: str | Iterable[str],
        *,
        tag: str | None = None,
        exclude: str | Iterable[str] = (),
        seed: str | None = None,
        session: str | None = None,
        position: int | None = None,
    ) -> Draw:
        """Draw an image by its weight; the same for the same seed, or the one at a position of a session's order.

        With several labels, one law holds over all their images.  The ids in `exclude` are not drawn.
        """
        query = arguments.drawing(label, tag, exclude, seed)
        query |= {"session": session, "position": position, "format": "json"}
        return answers.read(lambda json: answers.draw(json, json["totalWeight"]), self._get("/random", query))

    def random_many(
        self,
        label: str | Iterable[str],
        count: int,
        *,
        distinct: bool = False,
        tag: str | None = None,
        exclude: str | Iterable[str] = (),
        seed: str | None = None,
    ) -> list[Draw]:
        """Draw `count` images, at most 100: independently, or each at most once; otherwise as `random`."""
        query = arguments.drawing(label, tag, exclude, seed)
        query |= {"count": count, "distinct": "true" if distinct else None}
        document = self._get("/random", query)
        return answers.read(lambda json: [answers.draw(each, json["totalWeight"]) for each in json["images"]], document)

    def search(self, text: str, **options: str | int | float | None) -> list[Hit]:
        """Find images by a text.  The options are k, label, tag, without and least."""
        return answers.hits(self._get("/search", {"q": text, **options}))

    def search_by_picture(self, picture: bytes, **options: str | int | float | None) -> list[Hit]:
        """Find the images that look most like a picture, with the options of `search`."""
        body, content_type = form({}, "img", picture, "")
        headers = {"Content-Type": content_type}
        return answers.hits(
            self._http.ask("POST", "/search", params=arguments.given(options), data=body, headers=headers)[0]
        )

    def similar(self, image_id: str, **options: str | int | float | None) -> list[Hit]:
        """Find the images that look most like an image, with the options of `search`."""
        return answers.hits(self._get(f"{arguments.path(image_id)}/similar", options))

    def check_access(self, label: str) -> None:
        """Raise Problem if writes to this label would be refused: no token, a wrong one, or none of the right scope.

        This asks for the caller's own images, which needs the same scope.  That images have no owners is no refusal.
        """
        try:
            self._http.ask("GET", "/mine", write=True, params={"label": label, "limit": 1})
        except Problem as problem:
            if problem.status != 403 or "owner" not in problem.fields:
                raise

    def _get(self, path: str, query: Query) -> Any:
        return self._http.ask("GET", path, params=arguments.given(query))[0]

    def _pages(self, path: str, query: Query) -> Iterator[Any]:
        page, seen = self._get(path, {**query, "limit": PAGE}), set[str]()
        yield page
        while cursor := str(page.get("cursor") or ""):
            if cursor in seen:
                raise Unreachable(200, f"The server gives the same page of {path} again and again; ask its operator.")
            seen.add(cursor)
            page = self._get(path, {**query, "limit": PAGE, "cursor": cursor})
            yield page

    def _follow(self, upload_id: str, until: str) -> Image:
        """Wait for an upload to be stored or recognised, and return its image."""
        waited, turn = 0.0, 0
        while waited < FOLLOWED_MAX:
            document = self._get(f"/uploads/{quote(upload_id, safe='')}", {})
            state, image, problem = answers.read(answers.upload, document)
            if image and (state == "recognised" or until == "stored"):  # even if it cannot be recognised
                return image
            if problem:
                raise problem
            seconds = POLL[min(turn, len(POLL) - 1)]
            self._pause(seconds)
            waited, turn = waited + seconds, turn + 1
        raise Problem(504, f"The upload {upload_id} was not {until} in {FOLLOWED_MAX:.0f} seconds; try again later.")
