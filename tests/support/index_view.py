"""What a running service has of its index, as the account's owner sees it."""

import time
from typing import Any

from tests.support.local_service import LocalService

PATIENCE = 300.0  # seconds, so many that no test fails because the machine is busy


class IndexView:
    """Rows, tiles and vectors of a service. Their values are the versions of the pictures."""

    def __init__(self, service: LocalService) -> None:
        self._service = service
        (stack,) = self.client("cloudformation").describe_stacks(StackName="petapi")["Stacks"]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def client(self, name: str) -> Any:
        session = self._service.aws()
        return session.client(name, endpoint_url=self._service.aws_endpoint)  # type: ignore[call-overload]

    def rows(self) -> dict[str, str]:
        found = self._scan("ImageChunksTableName")
        rows = [row for row in found if "bytes" in row]
        return {f"{row['label']['S']}/{row['s3key']['S']}": row["versionId"]["S"] for row in rows}

    def tiles(self) -> dict[str, str]:
        found = self._scan("TilesTableName")
        return {f"{tile['label']['S']}/{tile['name']['S']}": tile["version"]["S"] for tile in found}

    def vectors(self) -> dict[str, str]:
        """Return the vectors. Without an encoder, each row has one, as it were."""
        index = self.outputs["VectorIndexArn"]
        if index == "none":
            return self.rows()
        pages = self.client("s3vectors").get_paginator("list_vectors").paginate(indexArn=index, returnMetadata=True)
        return {each["key"]: each["metadata"]["version"] for page in pages for each in page["vectors"]}

    def left(self) -> int:
        """Return how many messages wait in the queue of images to index."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        queue = {"QueueUrl": self.outputs["IndexQueueUrl"], "AttributeNames": names}
        return sum(map(int, self.client("sqs").get_queue_attributes(**queue)["Attributes"].values()))

    def is_whole(self) -> bool:
        """Return whether the index equals the rows."""
        return self.rows() == self.tiles() == self.vectors()

    def wait(self, *, images: int) -> None:
        """Wait until there are so many images and the index equals the rows."""
        until = time.monotonic() + PATIENCE
        while not (self.is_whole() and len(self.rows()) == images):
            assert time.monotonic() < until, (self.rows(), self.tiles(), self.vectors())
            time.sleep(max(0.1, images / 200))  # a look reads them all

    def forget(self, *ids: str) -> None:
        """Remove the tiles and vectors of images, as if they had never been made."""
        dynamodb, table = self.client("dynamodb"), self.outputs["TilesTableName"]
        keys = [{"label": {"S": label}, "name": {"S": name}} for label, name in (each.split("/") for each in ids)]
        for first in range(0, len(keys), 25):
            deletes = [{"DeleteRequest": {"Key": key}} for key in keys[first : first + 25]]
            dynamodb.batch_write_item(RequestItems={table: deletes})
        if self.outputs["VectorIndexArn"] != "none":
            self.client("s3vectors").delete_vectors(indexArn=self.outputs["VectorIndexArn"], keys=list(ids))

    def _scan(self, output: str) -> list[dict[str, Any]]:
        pages = self.client("dynamodb").get_paginator("scan").paginate(TableName=self.outputs[output])
        return [item for page in pages for item in page["Items"]]
