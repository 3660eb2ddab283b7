"""Let tiles and vectors of some images agree with their rows. Each step can be repeated, also by calls side by side.

A round reads rows, tiles and vectors, and does for each image what it needs. Then it reads the rows once more, and
the tiles of images that it left without labels: an image that was changed, deleted or recognised meanwhile gets another
round. So whoever writes last has seen the row as it is, and what is older never stays in place of what is newer.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from making import Maker
from shared.images import Image
from shared.index_queue import ToIndex
from shared.index_state import DamagedRow, Need, Observer, Seen, image_of
from shared.pictures.bucket import Bucket, denial
from shared.tiles import Tile
from shared.vectors.entry import metadata_of
from shared.vectors.vector_index import Vector, VectorIndex
from writing import Change, Failures, NoTime, PictureMissing, Writer

ROUNDS = 3  # an image that changes faster than that is indexed later


class Indexing:
    """Indexes images; `vectors` is None if there is no encoder, and `index` is empty then.

    `recognise_all` wants labels for each picture, and `has_time` says whether there is time for another picture. A
    picture in `last_tries` that takes too much time or memory is not tried again.
    """

    def __init__(
        self,
        observer: Observer,
        vectors: VectorIndex | None,
        bucket: Bucket,
        maker: Maker,
        writer: Writer,
        failures: Failures,
        *,
        index: str,
        recognise_all: bool,
        has_time: Callable[[], bool],
        last_tries: Collection[str],
    ) -> None:
        self._observer, self._vectors, self._bucket, self._maker = observer, vectors, bucket, maker
        self._writer, self._failures, self._has_time = writer, failures, has_time
        self._index, self._recognise_all, self._last_tries = index, recognise_all, last_tries

    def run(self, images: Iterable[ToIndex]) -> list[ToIndex]:
        """Index these images. Return those that must come again; the log says why."""
        wanted = _each_once(images)
        left = set(wanted)
        for _ in range(ROUNDS):
            with self._failures.of(*sorted(left)):
                left = self._round([wanted[each] for each in wanted if each in left])
            left -= self._failures.ids
        return [image for each, image in wanted.items() if each in left | self._failures.ids]

    def _round(self, images: Sequence[ToIndex]) -> set[str]:
        """Do one round. Return the ids of the images that were changed, deleted or recognised meanwhile."""
        if not images:
            return set()
        seen = self._observer.look(image.id for image in images)
        recognised = {image.id for image in images if image.recognised}
        needs = {each.id: self._need(each, recognised) for each in seen if not self._is_damaged(each)}
        vectors = self._vectors_of(seen, needs)
        changes = self._removals(seen, needs) + self._with_words(seen, needs, vectors)
        changes += self._with_labels(seen, needs, vectors) + self._with_pictures(seen, needs)
        written = self._writer.write(changes)
        outrun = {change.id for change in changes} - {change.id for change in written} - self._failures.ids
        return outrun | self._changed(written)

    def _is_damaged(self, seen: Seen) -> bool:
        with self._failures.of(seen.id):
            if seen.damage:
                raise DamagedRow(seen.damage)
        return bool(seen.damage)

    def _need(self, seen: Seen, recognised: Collection[str]) -> Need:
        return seen.need(self._index, wants_labels=self._recognise_all or seen.id in recognised)

    def _removals(self, seen: Iterable[Seen], needs: Mapping[str, Need]) -> list[Change]:
        gone = [each for each in seen if needs.get(each.id) is Need.REMOVAL]
        return [Change(each.id, None, removes_vector=each.metadata is not None) for each in gone]

    def _vectors_of(self, seen: Iterable[Seen], needs: Mapping[str, Need]) -> dict[str, Vector]:
        """Return the vectors that stay as they are and get new metadata: no model is asked."""
        kept = [each.id for each in seen if each.metadata and needs.get(each.id) in (Need.WORDS, Need.LABELS)]
        return self._vectors.get(kept, with_data=True) if self._vectors and kept else {}

    def _with_words(
        self, seen: Iterable[Seen], needs: Mapping[str, Need], vectors: Mapping[str, Vector]
    ) -> list[Change]:
        changed = [each for each in seen if needs.get(each.id) is Need.WORDS and each.id in vectors]
        return [
            Change(
                each.id,
                each.image,
                vector=_with_metadata(vectors[each.id], each.image, each.tile),
                unlabelled=each.tile is None or each.tile.labels is None,
            )
            for each in changed
        ]

    def _with_labels(
        self, seen: Iterable[Seen], needs: Mapping[str, Need], vectors: Mapping[str, Vector]
    ) -> list[Change]:
        changes = []
        for each in seen:
            if needs.get(each.id) is Need.LABELS and each.image and each.tile:
                with self._failures.of(each.id):
                    labels = self._maker.labels(each.image, self._content(each.image))
                    tile = None if labels is None else replace(each.tile, labels=labels)
                    vector = vectors.get(each.id)
                    new = _with_metadata(vector, each.image, tile or each.tile) if vector else None
                    vector_to_put = None if new == vector else new
                    changes.append(Change(each.id, each.image, tile, vector_to_put, unlabelled=tile is None))
        return [change for change in changes if change.tile or change.vector]

    def _with_pictures(self, seen: Iterable[Seen], needs: Mapping[str, Need]) -> list[Change]:
        changes = []
        for each in seen:
            if needs.get(each.id) is Need.PICTURE and each.image:
                with self._failures.of(each.id):
                    changes.append(self._with_picture(each, each.image))
        return changes

    def _with_picture(self, seen: Seen, image: Image) -> Change:
        """Return what is made of the image's picture."""
        made = self._maker.make(image, self._content(image), is_last_try=image.id in self._last_tries)
        return Change(
            image.id,
            image,
            made.tile,
            made.vector,
            removes_vector=not made.vector and bool(seen.metadata),
            unlabelled=made.tile.labels is None,
        )

    def _content(self, image: Image) -> bytes:
        """Return the bytes of the image's picture, if there is time to do something with them."""
        if not self._has_time():
            raise NoTime
        content = self._bucket.get(image.id, image.version_id)
        if content is None:  # deleted since the row was read; or damaged, until it is reconciled; or S3 denies it
            still = image_of(self._observer.rows([image.id]).get(image.id))
            raise denial(is_known=still is not None and still.version_id == image.version_id) or PictureMissing
        return content

    def _changed(self, written: Sequence[Change]) -> set[str]:
        """Return which of these images have another row, or labels, by now than what was written of them."""
        with self._failures.of(*(change.id for change in written)):
            rows = self._observer.rows(change.id for change in written)
            others = {change.id for change in written if _state(image_of(rows.get(change.id))) != _state(change.image)}
            unlabelled = [change.id for change in written if change.unlabelled]
            return others | self._observer.recognised(unlabelled)
        return set()


def _each_once(images: Iterable[ToIndex]) -> dict[str, ToIndex]:
    """Return the images by their ids. One that several messages name is recognised if one of them says so."""
    found: dict[str, ToIndex] = {}
    for image in images:
        known = found.get(image.id)
        found[image.id] = known if known and known.recognised else image
    return found


def _with_metadata(vector: Vector, image: Image | None, tile: Tile | None) -> Vector:
    metadata = metadata_of(image, tile.labels if tile else None) if image else {}
    return replace(vector, metadata=metadata)


def _state(image: Image | None) -> tuple[object, ...] | None:
    """Return what the index knows of an image's row."""
    return (image.version_id, image.tags, image.filename) if image else None
