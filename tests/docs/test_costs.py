"""The costs: bills computed by hand, sums, what a bill depends on, and the page that is written from them."""

import json
import math
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import date
from decimal import Decimal
from itertools import product
from math import isclose
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import page_files
from costs import attack, edge, measured, monitoring, mosaics, options_report, reads, report, search, sized
from costs.bill import Bill, PlanNotApplicable, at_rest, bill
from costs.direct_uploads import ASK, FOLLOW, RECEIVE, with_steps
from costs.model import THUMBNAILS
from costs.prices import PRICE_LISTS, REGIONS, document, prices
from costs.rows import size
from costs.sensitivity import swings
from costs.stack import stack
from costs.use import APIS, ARCHITECTURES, ENCODERS, MODES, PLANS, Assumed, Use
from shared import aws
from shared.labels.items import Item
from shared.limits import BODY_MAX
from shared.metrics import BY, UNITS
from tests.support import search_scene
from tests.support.cloud import ROOT, routes, template
from tests.support.hosts import Api, Handlers, json_of, new_label
from tests.support.index_scene import index_scene
from tests.support.ingest_scene import send
from tests.support.local_service import ANSWER_MAX
from tests.support.mosaic_scene import MosaicScene
from tests.support.pictures import png, tiny
from tests.support.simulation import silent

MILLIONS = st.integers(0, 10**9).map(Decimal)
SEARCHES = ("searches", "picture_searches", "similars")
MOSAICS = ("mosaics", "tile_files")
COUNTS = ("images", *(each.name for each in fields(Use) if each.metadata.get("unit") == "requests"))
USES = st.builds(
    Use,
    **dict.fromkeys(COUNTS, MILLIONS),
    thumbnails=st.integers(0, 20).map(Decimal),
    new_pictures=st.sampled_from((Decimal(0), Decimal("0.5"), Decimal(1))),
    bytes=st.integers(0, BODY_MAX).map(Decimal),
    tags=st.integers(0, 5).map(Decimal),
    mode=st.sampled_from(MODES),
    api=st.sampled_from(APIS),
    region=st.sampled_from(REGIONS),
    architecture=st.sampled_from(ARCHITECTURES),
    encoder=st.sampled_from(ENCODERS),
)
SWITCHES = {"waf": "on", "cdn_logs": "on", "tracing": "on"}
ALL_USES = st.builds(
    lambda use, switches, sized: replace(use, **dict(switches), sized=sized),
    USES,
    st.sets(st.sampled_from(sorted(SWITCHES.items()))),
    st.sampled_from((Decimal(0), Decimal(100_000))),
)
MONTH = 2_626_560.0  # seconds: 30.4 days
MEMORY = 1280  # MB of IndexFunction
SMALL = 512  # MB of functions that decode no pictures
STORED = {"dynamodb-storage", "dynamodb-recovery", "s3-storage", "vectors-storage"}
STORED |= {"alarms", "ssm-parameters", "secrets", "sqs-requests"}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "costs", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=ANSWER_MAX
    )


def quantities(whole: Bill) -> dict[str, Decimal]:
    return {line.price.name: line.quantity for line in whole.lines}


def test_a_bill_is_what_comes_out_by_hand() -> None:
    found = json.loads((ROOT / "tools/benchmarks/results.json").read_text())
    service, latency = found["service"], found["latency"]["by_memory"]["1"]["1769"]
    draw, upload, shrink = (service["operations"][name] for name in ("draw image", "upload", "thumbnail first"))
    tagged = service["operations"]["upload with 1 tag"]
    done = run("--json", "--images=2e6", "--draws=5e8", "--uploads=1e6", "--bytes=250e3", "--tags=1", "--labels=1e4")
    lines = {line["name"]: line for line in json.loads(done.stdout)["lines"]}
    # ms: so many MB are that part of 1,769 of a vCPU; 6 ms a trip, 40 ms a call of S3, 1% of 500 ms cold
    busy = {
        "draw": draw["cpu_ms"] * 1769 / 768 + (latency["draw image"][-1] - draw["cpu_ms"]) + 5,  # as it is modelled
        "upload": upload["cpu_ms"] * 1769 / 1280 + upload["trips"] * 6 + sum(upload["s3"].values()) * 40 + 5,
        "authorizer": 5 + 5,
        "index": shrink["cpu_ms"] * 1769 / MEMORY + 6 * 6 + 40 + 500 + 2 * 200 + 5,
    }
    gb_seconds = (5e8 * busy["draw"] * 768 / 1024 + 1e6 * busy["upload"] * 1280 / 1024) / 1000
    gb_seconds += 1e6 * (busy["authorizer"] * SMALL + busy["index"] * MEMORY) / 1024 / 1000
    # names and values; a number has a byte for two digits, and one more; 100 are charged beside each item
    chunk = 5 + 3 + 11 + 7 + 6 + 3 + 16 * (1 + 36 + 6) + 100
    row = 5 + 3 + 5 + 36 + 11 + 7 + 6 + 6 + 9 + 32 + 5 + 4 + 5 + 3 + 6 + 3 + 7 + 24 + 5 + 30 + 8 + 23 + 100 + chunk / 16
    tag = 5 + 10 + 5 + 36 + 11 + 7 + 6 + 6 + 9 + 32 + 100 + chunk / 16
    entries = (5 + 3 + 5 + 36 + 8 + 23 + 100) + (5 + 3 + 5 + 36 + 5 + 30 + 100)
    lanes = 1e4 * 4 * (5 + 3 + 11 + 2 + 11 + 11 + 9 * 12 + 21 * 13 + 30 * 4 + 100)
    tile = 5 + 3 + 4 + 36 + 7 + 32 + 4 + 3072 + 100
    metadata = (
        '{"label": "cat", "words": ["img-20260101-000000-jpg", "img-20260101-000000", "img", "20260101", "000000"], '
    )
    metadata += '"version": "3/L4kqtJlcpXroDTDmJ+rmSpXd3dIbrH", "state": "84d32245a2f3d1ba"}'
    vector = 4 * 1024 + 3 + 1 + 36 + len(metadata)
    sent = (5e8 * (250_000 + 1000) + 1e6 * (upload["response_bytes"] + 1000)) / 1e9
    logged = (5e8 * draw["log_bytes"] + 1e6 * upload["log_bytes"] + 501e6 * 300 + 503e6 * 600) / 1e9
    logged += 1e6 * shrink["log_bytes"] / 1e9
    expected = {
        "api-rest": 333 * 3.50 + (501 - 333) * 2.80,
        "lambda-requests": (503 - 1) * 0.20,
        "lambda-x86_64": (gb_seconds - 400_000) * 0.0000166667,
        "dynamodb-reads": (500 * draw["read_units"] + 1 * upload["read_units"] + 5) * 0.125,
        "dynamodb-writes": (500 * draw["write_units"] + 1 * (tagged["write_units"]) + 4) * 0.625,
        "dynamodb-storage": max((2e6 * (row + tag + entries + tile) + lanes) / 1e9 - 25, 0) * 0.25,
        "dynamodb-recovery": (2e6 * (row + tag) + lanes) / 1e9 * 0.20,
        "s3-storage": 500 * 0.023,
        "s3-puts": (5e8 * draw["s3"]["put"] + 1e6 * upload["s3"]["put"]) / 1000 * 0.005,
        "s3-gets": (5e8 * draw["s3"]["get"] + 1e6 * (upload["s3"]["get"] + 1)) / 1000 * 0.0004,
        "s3-deletes": 0,
        "transfer-out": (10_240 - 100) * 0.09 + 40_960 * 0.085 + (sent - 51_200) * 0.07,
        "cloudfront-out": 0,
        "cloudfront-requests": 0,
        "cloudfront-functions": 0,
        "metrics": (5 + 5 + 8 - 10) * 0.30,  # plain ones, states of uploads, reasons of refusals, and free ones
        "logs-ingested": (logged - 5) * 0.50,
        "logs-stored": (logged * 0.15 * 30 / 30.4 - 5) * 0.03,
        "alarms": 0,
        "secrets": 0.40,
        "sqs-requests": (3 * 5 * 30.4 * 86_400 / 20 - 1e6) / 1e6 * 0.40,
        "rekognition": 0,
        "vectors-storage": 2e6 * vector / 1e9 * 0.06,
        "vectors-puts": 1e6 * 128 * 1024 / 1e9 * 0.20,
        **dict.fromkeys(("vectors-queries", "vectors-first", "vectors-next", "vectors-rest"), 0),
        "bedrock-titan-pictures": 1e6 / 1000 * 0.06,
        "bedrock-titan-tokens": 0,
        "ssm-parameters": 0,
    }
    assert lines.keys() == expected.keys()
    assert [name for name, net in expected.items() if not isclose(lines[name]["net"], net, abs_tol=1e-6)] == []
    assert isclose(json.loads(done.stdout)["total"]["net"], sum(expected.values()))


def test_a_row_of_direct_uploads_is_what_comes_out_by_hand() -> None:
    service = json.loads((ROOT / "tools/benchmarks/results.json").read_text())["service"]
    info, upload, shrink = (service["operations"][name] for name in ("info", "upload", "thumbnail first"))
    slower = 1769 / SMALL
    busy = {  # ms of 1,024 MB: CPU, 6 ms a trip, 40 ms a call of S3, what else answers, 1% of 500 ms cold
        "ask": (info["cpu_ms"] * slower + 6 + 5) * SMALL / 1024,
        "follow": (info["cpu_ms"] * slower + 2 * 6 + 5) * SMALL / 1024,
        "authorize": (5 + 5) * SMALL / 1024,
        "receive": (2 * upload["cpu_ms"] * 1769 / 1280 + 14 * 6 + 4 * 40 + 1000 + 5) * 1280 / 1024,
        "notify": (upload["cpu_ms"] * slower + 200 + 5) * SMALL / 1024,
        "index": (shrink["cpu_ms"] * 1769 / MEMORY + 6 * 6 + 40 + 500 + 2 * 200 + 5) * MEMORY / 1024,
    }
    milliseconds = sum(busy.values()) + 2 * busy["follow"]
    logged = 4 * (info["log_bytes"] + 300) + 2 * upload["log_bytes"] + shrink["log_bytes"]
    logged += 8 * 600  # 8 invocations, the authorizer's too
    expected = {  # dollars of a million, beside so many draws that little is free
        "API Gateway": 4 * 2.38,
        "Lambda": 8 * 0.20 + milliseconds / 1000 * 1e6 * 0.0000166667,
        "DynamoDB": (3 * 2 + upload["read_units"] + 6 + 5) * 0.125 + (1 + upload["write_units"] + 6 + 4) * 0.625,
        "S3": 1e6 * (2 * 0.005 + 3 * 0.0004) / 1000,
        "Transfer": ((3000 + 1000) + 3 * (1000 + 1000) + (1000 + 1000)) / 1000 * 0.05,
        "CloudWatch": logged / 1000 * (0.50 + 0.15 * 30 / 30.4 * 0.03),
        "SQS": 9 * 0.40,
        "Rekognition": 1000,
        "S3 Vectors": 1e6 * 128 * 1024 / 1e9 * 0.20,
        "Bedrock": 60,
    }
    month = Use(draws=Decimal(10**9), images=Decimal(0), uploads=Decimal(0))
    before, after = (bill(replace(month, direct_uploads=Decimal(count))).services() for count in (0, 10**6))
    found = {name: float(after[name] - before[name]) for name in before if after[name] != before[name]}
    assert found.keys() == expected.keys()
    assert [name for name, amount in expected.items() if not isclose(found[name], amount, rel_tol=1e-6)] == []


def test_searches_are_charged_by_all_vectors_of_the_index() -> None:
    use = Use(images=Decimal(10**8), searches=Decimal(3000), picture_searches=Decimal(200), similars=Decimal(10))
    found = quantities(bill(use))
    queries, terabyte = 2 * 3000 + 200 + 10, search.vector_bytes() / 10**12
    assert found["vectors-queries"] == queries
    assert found["vectors-first"] == round(queries * 100_000 * terabyte, 6)
    assert found["vectors-next"] == round(queries * 9_900_000 * terabyte, 6)
    assert found["vectors-rest"] == round(queries * 90_000_000 * terabyte, 6)
    assert found["bedrock-titan-tokens"] == 3000 * 5
    assert found["bedrock-titan-pictures"] == 200 + 1000  # and the uploads
    assert found["api-rest"] == 10**6 + 1000 + 3210
    nova, none = (bill(replace(use, encoder=encoder)) for encoder in ("nova", "none"))
    assert quantities(nova)["bedrock-nova-pictures"] == 1200
    assert not {"S3 Vectors", "Bedrock"} & none.services().keys()


class Asked:
    """Counts of the calls that the code makes to DynamoDB, SQS and S3."""

    def __init__(self) -> None:
        self._calls: list[tuple[str, dict[str, Any]]] = []
        self._requests: list[str] = []  # of S3
        others: list[Any] = [aws.dynamodb(), aws.sqs()]
        for client in others:
            client.meta.events.register("provide-client-params", self._note)
        aws.s3().meta.events.register("before-call", lambda model, **_: self._requests.append(model.name))

    def take(self) -> tuple[float, int, int, dict[str, int]]:
        """Return read units, write units, round trips and S3 requests since the last call; all rows are small."""
        calls, requests = self._calls, self._requests
        self._calls, self._requests = [], []
        s3 = {kind: requests.count(f"{kind.title()}Object") for kind in ("get", "put", "delete")}
        assert sum(s3.values()) == len(requests)
        reads = sum(
            1 if params.get("ConsistentRead") else 0.5 for name, params in calls if name in ("GetItem", "Query")
        )
        batches = [table for _, params in calls for table in params.get("RequestItems", {}).values()]
        reads += sum(len(table["Keys"]) * (1 if table.get("ConsistentRead") else 0.5) for table in batches)
        writes = [2 * len(params.get("TransactItems", ())) for name, params in calls]
        writes += [name in ("PutItem", "UpdateItem") for name, _ in calls]
        return reads, sum(writes), len(calls), s3

    def _note(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        self._calls.append((model.name, params))


def test_a_direct_upload_asks_aws_for_what_is_counted(moto_aws: None) -> None:
    steps = with_steps(measured.measured(), Use(), Assumed()).operations

    def counted(name: str, *, index_entries: int = 0) -> tuple[Decimal, Decimal, Decimal, Mapping[str, Decimal]]:
        step = steps[name]
        return step.read_units, step.write_units - index_entries, step.trips, step.s3

    label = send(0).api.label
    send(1, label=label).deliver()  # a label's first image takes more
    asked = Asked()
    sent = send(2, label=label)
    assert asked.take() == (*counted(ASK)[:3], {"get": 0, "put": 1, "delete": 0})  # and the form's, which S3 takes
    sent.deliver()
    assert asked.take() == counted(RECEIVE, index_entries=1)
    assert sent.state()["state"] == "recognised"
    assert asked.take() == counted(FOLLOW)


def test_an_image_is_indexed_by_the_calls_that_are_counted() -> None:
    step = search.with_steps(measured.measured(), Use(), Assumed()).operations[search.INDEX]
    with silent(), index_scene() as scene:
        scene.upload(tiny(1))
        scene.calls.reset()
        scene.follow()
        calls = Counter(scene.calls.names)
    reads = calls.pop("batch_get_item") + calls.pop("get_item")  # of one row each, consistently
    assert (reads, reads + calls.pop("put_item")) == (step.read_units, step.trips)
    assert calls.pop("get_object") == step.s3["get"]
    assert calls == {"get_vectors": 1, "put_vectors": 1, "invoke_model": 1}


def test_mosaics_ask_aws_for_what_is_counted(moto_aws: None) -> None:
    """They are of 16 tiles here, in one page behind the image's name and one before it."""
    steps = mosaics.with_steps(measured.measured()).operations
    scene = MosaicScene(Api(Handlers(), new_label()))
    own = int(scene.image["id"].partition("/")[2].partition(".")[0], 16)
    scene.add([*range(8), *range(own + 1, own + 9)])
    asked = Asked()
    assert scene.mosaic().status == 200
    step, pages = steps[mosaics.MOSAIC], mosaics.pages(2_000)
    assert asked.take() == (1 + 2 * 0.5, 0, step.trips - pages + 1, step.s3)
    assert step.read_units == 1 + mosaics.units(2_000)
    assert scene.api.get(f"/labels/{scene.api.label}/tiles").status == 200
    assert asked.take() == (0.5, 0, steps[mosaics.TILES].trips - mosaics.pages(1_000) + 1, steps[mosaics.TILES].s3)
    item = {"label": "cat", "name": "0" * 32 + ".jpg", "version": "v" * 32, "tile": "t" * 3072}
    read = 2_000 * sum(len(name) + len(value) for name, value in item.items())
    assert (mosaics.units(2_000), pages) == (math.ceil(read / 4096) / 2, math.ceil(read / 2**20))


def test_searches_ask_aws_for_what_is_counted(moto_aws: None, tmp_path: Path) -> None:
    steps = search.with_steps(measured.measured(), Use(), Assumed()).operations
    with search_scene.scene(tmp_path) as scene:
        images = [scene.add(png(number), "meadow" if number < 3 else "") for number in range(13)]
        queries: list[str] = []
        aws.s3vectors().meta.events.register("before-call", lambda model, **_: queries.append(model.name))
        asked = Asked()
        for step, answer in (
            (search.BY_TEXT, lambda: scene.api.get("/search?q=meadow")),  # three have the word
            (search.BY_PICTURE, lambda: search_scene.by_picture(scene.api, png(1))),
            (search.SIMILAR, lambda: scene.api.get(f"/images/{images[3]['id']}/similar")),
        ):
            response = answer()
            assert len(search_scene.found(response)) == Use().hits, step
            assert search.HIT_BYTES / 2 < len(response.body) / Use().hits < search.HIT_BYTES, step
            counted = steps[step]
            reads, writes, trips, s3 = asked.take()
            assert reads <= counted.read_units, step
            assert (writes, trips, s3) == (counted.write_units, counted.trips, counted.s3), step
            assert queries.count("QueryVectors") == search.QUERIES[step], step
            queries.clear()


@pytest.mark.parametrize(
    ("item", "bytes_"),
    [
        ({"label": {"S": "käse"}}, 5 + 5),
        ({"weight": {"N": "123456789"}}, 6 + 5 + 1),
        ({"weight": {"N": "500000000"}}, 6 + 1 + 1),  # trailing zeros are not kept
        ({"images": {"M": {"a.jpg": {"N": "12"}, "b.jpg": {"N": "34"}}}}, 6 + 3 + 2 * (1 + 5 + 2)),
    ],
)
def test_items_are_as_large_as_aws_says(item: Item, bytes_: int) -> None:
    assert size(item) == bytes_


def test_cloudfront_asks_the_api_for_draws_and_for_what_it_has_not() -> None:
    use = Use(draws=Decimal(10**7), uploads=Decimal(0), mode="cdn")
    found = quantities(bill(use, Assumed(cache_hit=Decimal("0.75"), client_hit=Decimal("0.2"))))
    assert found["api-rest"] == 10_000_000 + 8_000_000 * Decimal("0.25")
    assert found["cloudfront-requests"] == 18_000_000
    assert found["transfer-out"] == 0
    assert found["cloudfront-out"] > 8_000_000 * 300_000 / Decimal(10**9)


def test_thumbnails_are_asked_for_made_and_kept_for_days() -> None:
    first, again, draw = (measured.measured().operations[name] for name in (*THUMBNAILS, "draw image"))
    use = Use(draws=Decimal(10**9), uploads=Decimal(0), images=Decimal(0), thumbnails=Decimal(2))
    found = {name: float(amount) for name, amount in quantities(bill(use)).items()}
    made, kept = 2e8, 18e8  # one in ten has to be made
    size = [float(each.response_bytes) * 3 / 4 for each in (first, again)]
    assert found["api-rest"] == 1e9 + made + kept
    assert isclose(found["s3-storage"], made * size[0] * 90 / 30.4 / 1e9, rel_tol=1e-6)
    assert found["s3-gets"] == sum(n * float(each.s3["get"]) for n, each in ((1e9, draw), (made, first), (kept, again)))
    sent = 1e9 * 300_000 + made * size[0] + kept * size[1] + 3e9 * 1000
    assert isclose(found["transfer-out"], sent / 1e9, rel_tol=1e-9)


@pytest.mark.parametrize(("images", "share"), [(1_000, "99.97%"), (100_000, "97%")])
def test_the_page_says_which_share_of_draws_finds_its_thumbnail(images: int, share: str) -> None:
    """Each image is asked for at random times; the first time after its thumbnail has gone makes it again."""
    asked = 1_000_000 / images * float(stack().thumbnail_days) * 12 / 365
    digits = len(share.partition(".")[2].rstrip("%"))
    assert f"{100 * asked / (1 + asked):.{digits}f}%" == share
    assert share in (ROOT / "docs/reference/api.md").read_text()


def test_tags_are_written_by_uploads_and_deletes_and_not_by_patches() -> None:
    def writes(name: str, tags: int) -> Decimal:
        none = {each: Decimal(0) for each in COUNTS}
        return quantities(bill(Use(**none | {name: Decimal(1), "tags": Decimal(tags)})))["dynamodb-writes"]  # type: ignore[arg-type]

    of_tag = measured.measured().write_units_of_tag
    assert of_tag > 0
    assert writes("uploads", 3) - writes("uploads", 0) == 3 * of_tag
    assert writes("deletes", 3) > writes("deletes", 0)
    assert writes("patches", 3) == writes("patches", 0) > 0


def test_an_http_api_counts_each_begun_512_kib() -> None:
    use = Use(draws=Decimal(10), uploads=Decimal(10), bytes=Decimal(600_000), api="http")
    assert quantities(bill(use))["api-http"] == 10 * 2 + 10 * 2


def test_a_plan_stands_for_what_it_carries_and_for_no_more() -> None:
    use = Use(draws=Decimal(10**7), mode="cdn")
    planned, paid = bill(replace(use, plan="business")), bill(use)
    carried = sum(line.net for line in paid.lines if line.price.service == "CloudFront")
    assert planned.net == paid.net - carried + 200
    with pytest.raises(
        PlanNotApplicable, match=r"covers 10,000,000 of cloudfront-requests a month, but this month needs 20,000,000"
    ):
        bill(replace(use, plan="pro"))


def test_a_plan_carries_the_firewall_and_the_function_too() -> None:
    use = Use(draws=Decimal(10**6), thumbnails=Decimal(5), mode="cdn-image", waf="on", blocked=Decimal(10**9))
    paid, planned = (bill(replace(use, plan=plan)).services() for plan in ("none", "pro"))
    assert paid["WAF"] == 5 + 1 + Decimal("0.60") * (6 + 1000)
    assert (planned["WAF"], planned["CloudFront"]) == (0, 15)
    assert all(planned[name] == amount for name, amount in paid.items() if name not in ("WAF", "CloudFront"))


def test_the_draw_itself_through_cloudfront_is_one_request_there_and_one_at_the_api() -> None:
    use = Use(
        draws=Decimal(10**7), uploads=Decimal(0), images=Decimal(0), mode="cdn-image", pictures=Decimal(30 * 10**6)
    )
    lines = {line.price.name: line for line in bill(use).lines}
    assert lines["api-rest"].quantity == 10**7 + 3 * 10**6  # a draw is never cached, and a tenth of the pictures is not
    assert lines["cloudfront-requests"].quantity == 4 * 10**7
    assert lines["cloudfront-functions"].net == 28 * Decimal("0.10")  # draws do not run it
    assert lines["cloudfront-out"].quantity == 40 * Decimal(300_000 + 1000) / 1000
    assert lines["transfer-out"].net == 0


def test_draws_with_a_size_send_thumbnails_and_make_few() -> None:
    operations = measured.measured().operations
    draw, first = operations["draw image"], operations["thumbnail first"]
    use = Use(draws=Decimal(10**9), uploads=Decimal(0), images=Decimal(10**7), sized=Decimal(100_000))
    found = {name: float(amount) for name, amount in quantities(bill(use)).items()}
    made = 1e9 * 1e7 / (1e7 + 1e9 * 90 / 30.4)
    assert isclose(found["api-rest"], 1e9 + made)  # such a draw redirects to the address that makes the thumbnail
    assert isclose(found["transfer-out"], (1e9 * 101_000 + made * 1000) / 1e9, rel_tol=1e-9)
    assert isclose(found["s3-puts"], made)
    assert isclose(found["s3-gets"], 1e9 + made * float(first.s3["get"]))
    reads = 1e9 * float(draw.read_units) + made * (0.5 + float(first.read_units))
    assert isclose(found["dynamodb-reads"], reads)
    assert isclose(found["s3-storage"], (1e7 * 300_000 + made * 100_000 * 90 / 30.4) / 1e9, rel_tol=1e-9)
    linked = {name: float(amount) for name, amount in quantities(bill(replace(use, mode="cdn"))).items()}
    assert isclose(linked["cloudfront-requests"], 2e9)
    assert isclose(linked["api-rest"], 1e9 + made + (1e9 - made) / 10)
    assert isclose(linked["cloudfront-out"], (1e9 * 101_000 + 1e9 * 1000) / 1e9, rel_tol=1e-9)


def test_draws_with_a_size_ask_s3_for_what_is_counted(moto_aws: None) -> None:
    steps = sized.with_steps(measured.measured(), Use(sized=Decimal(1))).operations
    api = Api(Handlers(), new_label())
    assert api.upload(png(1)).status == 201
    asked = Asked()
    link = api.random(size="512")
    assert (link.status, asked.take()[3]) == (302, steps[sized.LINK].s3)
    asked.take()
    assert api.get(link.headers["location"]).status == 200
    assert asked.take()[3] == steps[sized.FIRST].s3
    assert (api.random(size="512").status, asked.take()[3]) == (200, steps[sized.DRAW].s3)
    assert (api.get(link.headers["location"]).status, asked.take()[3]) == (200, steps[sized.AGAIN].s3)


def test_options_cost_what_comes_out_by_hand() -> None:
    use = report.month(Decimal(10**8))
    calls, seconds = 1e8 + 1e5 + 1e4, MONTH  # of the API: draws, uploads, deletes
    draw = float(measured.measured().operations["draw image"].log_bytes)
    upload, delete = (float(measured.measured().operations[name].log_bytes) for name in ("upload", "delete"))
    indexed = float(measured.measured().operations["thumbnail first"].log_bytes)
    lines = (1e8 * draw + 1e5 * (upload + indexed) + 1e4 * delete) / 1e9
    own = (calls + 1e5 + 1e5 + 1e4) * 600 / 1e9  # Lambda's: of the index, too, and of the authorizer
    of_gb = 0.50 + 0.15 * 30 / 30.4 * 0.03
    expected = [
        -calls / 1e6 * (3.50 - 1.00),
        5 + 1 + 100 * 0.60,
        5 + 1 + calls / 1e6 * 0.60,
        1e8 * 100 * 30 / 30.4 / 1e9 * 0.023,
        (seconds + (calls - seconds) * 0.05 - 100_000) / 1e6 * 5,
        8 * 0.30,
        lines * of_gb,  # other lines use what is free
        -own * of_gb,
    ]
    found = [float(amount) for _, amount in options_report.changes(use)]
    assert [
        (round(a, 2), round(b, 2)) for a, b in zip(found, expected, strict=True) if not isclose(a, b, rel_tol=1e-2)
    ] == []


def test_metrics_are_those_that_the_code_writes() -> None:
    page = (ROOT / "docs/how-to/operate.md").read_text()
    (states,) = re.findall(r"^\| `Uploads` \| Count \| (.*) \|$", page, re.M)
    named = re.findall(r"`(\w+)`", states)[1:]
    assert [name for name in named if name != "POST"] == ["stored", "known", "recognised", "failed", "expired"]
    assert len(UNITS.keys() - BY.keys()) == monitoring.PLAIN == 5
    assert monitoring.STATES == 5
    assert bill(replace(at_rest(Use()))).services()["CloudWatch"] == 0


REPRODUCED = {  # what was reckoned before this page had these modes
    "10 million draws": (313, lambda: bill(report.month(Decimal(10**7))).net),
    "10 million draws, by links to CloudFront": (228, lambda: bill(report.month(Decimal(10**7), "cdn")).net),
    "draws of a label in a second": (2_300, lambda: 3_000 / measured.measured().operations["draw image"].read_units),
    "draws in a second of 10^9 in a month": (380, lambda: Decimal(10**9) / int(MONTH)),
    "10 million draws, with a plan": (66, lambda: planned(10**7)),
    "100 million draws, with a plan": (794, lambda: planned(10**8)),
    "10^9 draws": (24_300, lambda: bill(report.month(Decimal(10**9))).net),
    "10^9 draws, with a size": (13_250, lambda: bill(replace(report.month(Decimal(10**9)), sized=report.SIZED)).net),
    "10^9 draws, without Lambda's lines": (
        -300,
        lambda: dict(options_report.changes(report.month(Decimal(10**9))))[OWN],
    ),
    "bytes of pictures at the default throttle": (11_800, attack.of_bytes),
}
OWN = "without Lambda's own log lines"


def planned(draws: int) -> Decimal:
    return bill(report.cheapest(report.month(Decimal(draws), "cdn-image"))).net


@pytest.mark.parametrize("name", REPRODUCED)
def test_figures_of_before_come_out_again(name: str) -> None:
    before, now = REPRODUCED[name]
    assert isclose(float(now()), before, rel_tol=0.05)


@pytest.mark.parametrize(("plan", "dollars", "requests"), [("pro", 15, 10**7), ("business", 200, 125 * 10**6)])
def test_a_plan_carries_what_it_was_reckoned_with(plan: str, dollars: int, requests: int) -> None:
    price = prices("us-east-1")[f"cloudfront-{plan}"]
    assert price.gross(Decimal(1)) == dollars
    assert price.allows == {"cloudfront-requests": requests, "cloudfront-out": 50_000}
    month = bill(report.month(Decimal(10**7), "cdn-image"))
    assert quantities(month)["cloudfront-requests"] == 10**7  # which leave the plan pro no request to spare


@pytest.mark.parametrize("mode", MODES)
def test_bytes_are_two_thirds_and_more_of_what_most_draws_cost(mode: str) -> None:
    """Three quarters, were it not for the second call and log line of a redirect."""
    whole = bill(report.month(report.SCALES[-1], mode))
    (line,) = (
        line for line in whole.lines if line.price.name == ("cloudfront-out" if "cdn" in mode else "transfer-out")
    )
    assert (0.66 if mode in ("redirect", "cdn") else 0.70) < line.net / whole.net < 0.79


def test_one_client_can_take_what_the_throttles_pass() -> None:
    """The bill by hand, of pictures only: 200 a second for a month."""
    taken = 200 * MONTH
    sent = taken * 301_000 / 1e9
    bytes_ = (10_240 - 100) * 0.09 + 40_960 * 0.085 + 102_400 * 0.07 + (sent - 153_600) * 0.05
    assert isclose(attack.of_bytes(), bytes_)
    (default, slow, *_) = attack.attacks()
    assert default.at_api is not None
    assert slow.at_api is not None
    assert (default.at_api.pictures, slow.at_api.lists) == (2 * taken, 20 * MONTH)
    assert attack.written(default.at_api) > Decimal(bytes_)


RATES = {  # requests a second, by the template's defaults: 20 of each method, 200 of pictures and lists, 2 of searches
    "pictures": 2 * 200,  # and samples, which are smaller
    "lists": 200,
    "draws": 2 * 20,  # /random and /random/{label}
    "many_draws": 20,  # /random.json?count=20
    "many_heads": 3 * 20,  # of the same, and of the other two paths
    "heads": 20,  # of pictures
    "list_heads": 20,
    "label_lists": 20,
    "label_pages": 20,
    "infos": 2 * 20,  # and states of uploads
    "pages": 2 * 20,  # and /docs
    "contracts": 20,
    "searches": 2 * 2,  # GET and HEAD
    "picture_searches": 2,
    "similars": 20,
    "mosaics": 2,
    "tile_files": 2,
    "mosaic_heads": 2 * 2,
    "page_files": 20,
}


def test_every_read_that_a_stranger_can_make_is_counted_up_to_its_throttle() -> None:
    """By each method of each path, as API Gateway counts: HEAD, JSON and refusals included."""
    whole = next(attack.attacks()).at_api
    assert whole is not None
    found = {name: float(getattr(whole, name)) / MONTH for name in COUNTS if getattr(whole, name) and name != "images"}
    every = {(path, method) for path, method, _ in routes()}
    assert {(path, method) for method, path in stack().limits} == every
    assert found.pop("refused") == sum(map(float, stack().limits.values())) - sum(RATES.values())
    assert found == RATES
    assert {route for route in stack().limits if route[0] == "ANY"} <= attack.KINDS.keys() <= stack().limits.keys()


@pytest.mark.parametrize(
    ("path", "others"),
    [
        ("/random", ("many_draws", "json_draws")),
        ("/random/{label}", ("many_draws",)),
        ("/random.json", ("json_draws",)),
    ],
)
def test_an_attacker_sends_the_dearest_request_that_a_path_takes(path: str, others: tuple[str, ...]) -> None:
    taken = added(**{attack.KINDS["GET", path]: Decimal(10**6)})
    assert all(added(**{name: Decimal(10**6)}) < taken for name in others)


def added(**more: Decimal) -> Decimal:
    """Return what more requests cost beside so many draws that little is free."""
    month = replace(attack.STILL, mode="image", draws=Decimal(10**9))
    more = {name: getattr(month, name) + count for name, count in more.items()}
    return bill(replace(month, **more)).net - bill(month).net  # type: ignore[arg-type]


def test_most_hits_cost_more_than_ten() -> None:
    few, many = (Use(similars=Decimal(10**9), hits=Decimal(hits)) for hits in (10, 100))
    difference = quantities(bill(many))["dynamodb-reads"] - quantities(bill(few))["dynamodb-reads"]
    assert difference == ((100 + 100 / 2) - (13 + 10 / 2)) * 10**9


def test_labels_and_pages_ask_aws_for_what_is_counted(moto_aws: None) -> None:
    """No more labels are there than those of this test; the rows and lanes of each are small."""
    api = Api(Handlers(), new_label())
    names = [api.label, new_label(), new_label()]
    for name in names:
        assert api.upload(png(1), label=name).status == 201
    use = Use(labels=Decimal(len(json_of(api.get("/labels?limit=100"))["labels"])))
    steps = reads.with_steps(mosaics.with_steps(measured.measured()), use).operations
    asked = Asked()
    listed = api.get("/labels?limit=100")
    units, writes, trips, s3 = asked.take()
    step = steps[reads.LABELS]
    assert (units, writes, trips, s3) == (step.read_units, 0, step.trips, {"get": 0, "put": 0, "delete": 0})
    assert reads.LABEL_BYTES / 2 < len(listed.body) / len(json_of(listed)["labels"]) < reads.LABEL_BYTES
    page = api.get(f"/labels/{api.label}")
    units, writes, trips, s3 = asked.take()
    step = steps[reads.LABEL]
    rows = measured.measured().operations["list 100"].read_units - 50  # of 100 images, without their tiles
    assert (units - 0.5, step.read_units - rows) == (0.5, reads.HALF)  # the lanes, beside a page
    assert (writes, trips, s3) == (0, step.trips, {"get": 0, "put": 0, "delete": 0})
    assert reads.IMAGE_BYTES / 2 < len(page.body) < reads.IMAGE_BYTES * 2


def test_pages_are_as_large_as_they_are_counted(moto_aws: None) -> None:
    api, steps = Api(Handlers(), "any"), reads.with_steps(mosaics.with_steps(measured.measured()), Use()).operations
    for path, name in (("/", reads.PAGE), ("/openapi.json", reads.CONTRACT)):
        size = len(api.get(path).body)
        assert 0.7 * float(steps[name].response_bytes) < size < 1.2 * float(steps[name].response_bytes), path
    assert len(api.get("/docs").body) < len(api.get("/").body)
    assert len(api.get("/status").body) < 2 * measured.measured().operations["info"].response_bytes


def test_heads_and_json_cost_what_comes_out_by_hand() -> None:
    """Beside so many draws that little is free: a call, a log line and the work of GET, and no body."""
    operations = measured.measured().operations
    million = Decimal(10**6)
    month = Use(draws=Decimal(10**9), uploads=Decimal(0), images=Decimal(0))

    def added(**more: Decimal) -> dict[str, float]:
        before, after = quantities(bill(month)), quantities(bill(replace(month, **more)))
        return {name: float(after[name] - before[name]) for name in before}

    draw, head, json_ = added(draws=month.draws + million), added(heads=million), added(json_draws=million)
    same = {"api-rest", "lambda-requests", "lambda-x86_64", "dynamodb-reads", "s3-gets", "logs-ingested"}
    assert {name for name in same if not isclose(draw[name], head[name])} == set()
    assert isclose(draw["transfer-out"], 1e6 * 301_000 / 1e9)
    assert isclose(head["transfer-out"], 1e6 * 1000 / 1e9)
    assert json_["s3-gets"] == 0
    assert isclose(json_["dynamodb-reads"], 1e6 * float(operations["draw json"].read_units))
    assert isclose(json_["transfer-out"], 1e6 * (float(operations["draw json"].response_bytes) + 1000) / 1e9)
    mosaic, silent_mosaic = added(mosaics=million), added(mosaic_heads=million)
    assert mosaic["lambda-x86_64"] == silent_mosaic["lambda-x86_64"] > 10 * draw["lambda-x86_64"]
    assert silent_mosaic["transfer-out"] == head["transfer-out"]


def test_the_largest_file_of_the_pages_is_the_largest_that_is_served(moto_aws: None) -> None:
    files = page_files.files() | page_files.LIBRARY
    sizes = {name: len((ROOT / "web" / path).read_bytes()) for name, path in files.items()}
    sizes |= {path.name: path.stat().st_size for path in (ROOT / "web/samples").glob("*.jpg")}
    assert reads.largest_file() == max(sizes.values())
    name = max(sizes, key=lambda each: sizes[each])
    answer = Api(Handlers(), "any").get(f"/web/{page_files.version()}/library/{name}")
    assert len(answer.body) == reads.largest_file()
    asked = Use(page_files=Decimal(10**6), uploads=Decimal(0), draws=Decimal(0), mode="cdn-image")
    assert quantities(bill(asked))["api-rest"] == 0  # CloudFront keeps it
    assert quantities(bill(replace(asked, mode="image")))["api-rest"] == 10**6


def test_with_bounds_an_attack_costs_what_comes_out_by_hand() -> None:
    found = {each.bounds: each for each in attack.attacks()}
    flood, ruled, last = (
        found[name].at_edge
        for name in ("`Cdn=true`", "`Cdn=true CdnOnly=true WebAclArn`", "the same and `ApiWebAclArn`")
    )
    assert flood is not None
    assert ruled is not None
    assert last is not None
    gb = 1000 * MONTH * (float(reads.largest_file()) + 1000) / 1e9
    out = (10_240 - 1024) * 0.085 + 40_960 * 0.080 + 102_400 * 0.060 + 358_400 * 0.040
    out += (1_048_576 - 512_000) * 0.030 + (gb - 1_048_576) * 0.025
    lines = {line.price.name: float(line.net) for line in bill(flood).lines}
    assert isclose(lines["cloudfront-out"], out)
    assert isclose(lines["cloudfront-requests"], (1000 * MONTH - 1e7) / 1e4 * 0.01)
    assert lines["cloudfront-functions"] == 0  # it runs for pictures only
    assert isclose(bill(ruled).services()["WAF"], 5 + 1 + 1000 * MONTH / 1e6 * 0.60)
    assert quantities(bill(ruled))["cloudfront-requests"] == round(Decimal(1000) / 300 * int(MONTH), 6)
    assert round(last.draws) == round(1000 / 300 * MONTH)
    assert 15 + 8.75 * 3.50 < attack.written(last) < 15 + 2 * 8.75 * 3.50  # the plan, and each draw's call of the API
    assert attack.written(last) > attack.written(replace(ruled, plan=attack.PLAN))  # files would cost less
    assert attack.written(ruled) > attack.written(replace(last, plan="none"))  # and draws less without a plan
    blocked = found["the same and `ApiWebAclArn`"].at_api
    assert blocked is not None
    assert isclose(attack.written(blocked), 5 + 1 + 1000 * MONTH / 1e6 * 0.60)


def test_refusals_of_the_api_cost_a_call_up_to_the_throttles() -> None:
    rate = float(sum(stack().limits.values()))
    assert rate > 20 * (len(routes()) - 15)  # nearly all have the throttle of all methods, each its own
    refused = {each.bounds: each for each in attack.attacks()}["`Cdn=true CdnOnly=true`"].at_api
    assert refused is not None
    found = quantities(bill(refused))
    assert isclose(found["api-rest"], rate * MONTH)
    assert isclose(found["lambda-requests"], rate * MONTH)
    assert (found["dynamodb-reads"], found["s3-gets"]) == (0, 0)
    assert isclose(attack.written(refused), float(attack.break_even()) * MONTH / 1e6 * 0.60)  # a web ACL's requests


@given(ALL_USES)
def test_sums_add_up(use: Use) -> None:
    whole = bill(use)
    assert whole.net == sum(whole.services().values()) == sum(line.net for line in whole.lines)
    assert whole.gross - whole.waived == whole.net
    assert all(0 <= line.waived <= line.gross for line in whole.lines)


@given(ALL_USES, st.sampled_from([*COUNTS, "thumbnails", "bytes", "tags"]), st.integers(1, 10**6))
def test_more_of_anything_never_costs_less(use: Use, name: str, more: int) -> None:
    bound = Use.__dataclass_fields__[name].metadata["most"]
    greater = replace(use, **{name: min(getattr(use, name) + more, bound)})  # type: ignore[arg-type]
    assert bill(greater).net >= bill(use).net
    assert all(quantities(bill(greater))[key] >= amount for key, amount in quantities(bill(use)).items())


@given(USES)
def test_a_month_without_calls_costs_what_is_stored(use: Use) -> None:
    rest = bill(at_rest(use))
    assert {name for name, amount in quantities(rest).items() if amount} <= STORED
    silent = {name: Decimal(0) for name in COUNTS if name != "images"}
    assert rest.net == bill(replace(use, **silent)).net  # type: ignore[arg-type]


@given(USES)
def test_twice_the_draws_are_twice_what_draws_need(use: Use) -> None:
    none, once, twice = (quantities(bill(replace(use, draws=use.draws * times))) for times in (0, 1, 2))
    assert all(
        isclose(twice[key] - none[key], 2 * (once[key] - none[key]), abs_tol=2e-6) for key in none.keys() - {"metrics"}
    )


def test_beyond_the_free_tier_and_within_a_price_tier_twice_the_draws_cost_twice_as_much() -> None:
    once, twice = (bill(Use(draws=Decimal(draws), images=Decimal(0), uploads=Decimal(0))) for draws in (15e6, 30e6))
    doubled = {line.price.name: (line.gross, other.gross) for line, other in zip(once.lines, twice.lines, strict=True)}
    for name in (
        "api-rest",
        "lambda-requests",
        "lambda-x86_64",
        "dynamodb-reads",
        "s3-gets",
        "transfer-out",
        "logs-ingested",
    ):
        assert doubled[name][1] == 2 * doubled[name][0] > 0, name
    assert twice.net > 2 * once.net  # less of it is free


def test_every_price_has_a_source_and_a_day_and_is_used() -> None:
    used: set[str] = set()
    for mode, api, architecture, plan, encoder in product(MODES, APIS, ARCHITECTURES, PLANS, ENCODERS):
        if plan == "none" or mode in edge.CDN:
            use = Use(mode=mode, api=api, architecture=architecture, plan=plan, encoder=encoder, waf="on", tracing="on")
            used |= quantities(bill(use)).keys()
    assert used == {entry["name"] for entry in document()["prices"]}
    for entry in document()["prices"] + document()["free_tier"]:
        assert re.fullmatch(r"https://(docs\.)?aws\.amazon\.com/\S+", entry["source"])
        assert date.fromisoformat(entry["read"]) >= date(2026, 11, 21)
    for price in (price for region in REGIONS for price in prices(region).values()):
        bounds = [up_to for up_to, _ in price.tiers]
        assert bounds[-1] is None
        assert bounds[:-1] == sorted(bounds[:-1])  # type: ignore[type-var]
        assert price.basis


def test_the_page_says_how_many_prices_nobody_has_compared_and_how_to() -> None:
    basis = [text for entry in document()["prices"] for text in entry["basis"].values()]
    unchecked = sum("to be checked" in text for text in basis)
    read = (ROOT / "costs/README.md").read_text()
    assert f"The other\n{unchecked} are what others quote" in read
    assert f"the {len(basis)} figures" in read
    dated = re.compile(r"stored copy|read it by the Pricing API on 20\d\d-\d\d-\d\d|to be checked")
    assert [text for text in basis if not dated.search(text)] == []
    assert PRICE_LISTS.keys() == {entry["service"] for entry in document()["prices"]}
    assert all(f"`{code}`" in read for code in PRICE_LISTS.values())


def watched(resource: dict[str, Any]) -> int:
    """Return for how many metrics an alarm is billed by default: those that are made on demand have a condition."""
    if resource["Type"] != "AWS::CloudWatch::Alarm" or "Condition" in resource:
        return 0
    return len([each for each in resource["Properties"].get("Metrics", ()) if "MetricStat" in each]) or 1


def test_what_the_template_says_is_counted() -> None:
    kinds = [resource["Type"] for resource in template()["Resources"].values() if "Condition" not in resource]
    found = quantities(bill(Use()))
    assert found["alarms"] == sum(map(watched, template()["Resources"].values())) > 0
    assert quantities(bill(Use(mode="cdn")))["secrets"] == 2  # with CdnSecret
    assert found["secrets"] == kinds.count("AWS::SecretsManager::Secret") == 1
    assert found["ssm-parameters"] == kinds.count("AWS::SSM::Parameter") > 0


def test_every_input_can_be_varied_and_the_widest_comes_first() -> None:
    use = Use(mode="cdn", draws=Decimal(10**8), thumbnails=Decimal(1), tags=Decimal(2), **SWITCHES)  # type: ignore[arg-type]
    found = swings(use)
    assert [swing.width for swing in found] == sorted((swing.width for swing in found), reverse=True)
    names = {swing.name.removeprefix("1 - ") for swing in found}
    (misses,) = (swing for swing in found if swing.name == "1 - cache_hit")
    halved, doubled = (bill(use, Assumed(cache_hit=Decimal(hit))).net for hit in ("0.95", "0.8"))
    assert (misses.halved, misses.doubled) == (halved, doubled)
    unmoved = {"client_hit"}  # 0 is 0 when doubled
    assert {each.name for each in fields(Assumed)} - unmoved | {"memory", "bytes"} <= names


def test_with_many_draws_the_way_to_the_internet_costs_most_as_the_readmes_say() -> None:
    for draws in report.SCALES[-2:]:
        assert max(bill(report.month(draws)).lines, key=lambda line: line.net).price.name == "transfer-out"
    assert {swings(report.month(report.PLOTTED, mode))[0].name for mode in report.PLOTTED_MODES} == {"bytes"}


def test_of_a_direct_upload_recognition_costs_most_as_the_readmes_say() -> None:
    for count in report.DIRECT:
        more = report.added(direct_uploads=count)
        assert more["Rekognition"] == count / 1000 > sum(more.values()) / 2


def test_the_readme_is_what_is_computed() -> None:
    assert report.README.read_text() == report.report(), "run make costs"


def test_the_plot_is_of_these_totals() -> None:
    plot = report.PLOT.read_text()
    for mode in report.PLOTTED_MODES:
        assert f"{mode}: ${bill(report.month(report.PLOTTED, mode)).net:,.2f}" in plot, "run make costs"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--draws=-1"], "-1 is not a number from 0 to 1,000,000,000,000"),
        (["--draws=nan"], "nan is not a number from 0"),
        (["--images=inf"], "inf is not a number from 0"),
        (["--bytes=1e400"], f"1e400 is not a number from 0 to {BODY_MAX:,}"),
        (["--uploads=many"], "many is not a number from 0"),
        (["--memory=127"], "127 is not a number from 128 to 10,240"),
        (["--cache-hit=1.1"], "1.1 is not a number from 0 to 1"),
        (["--mode=fax"], "invalid choice: 'fax' (choose from"),
        (["--region=mars"], "invalid choice: 'mars' (choose from"),
        (["--plan=pro"], "A plan is for CloudFront. Use it with --mode cdn or cdn-image instead of image."),
    ],
)
def test_what_cannot_be_computed_is_refused_in_a_sentence(arguments: list[str], sentence: str) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr.splitlines()[-1]


def test_without_measurements_it_says_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "FILE", tmp_path / "results.json")
    measured.measured.cache_clear()
    with pytest.raises(measured.Unmeasured, match="make bench"):
        bill(Use())
    monkeypatch.undo()
    measured.measured.cache_clear()


def test_the_table_prints_the_bill_with_its_total() -> None:
    done = run("--draws=1e8", "--mode=redirect", "--region=eu-central-1")
    total = bill(Use(draws=Decimal(10**8), mode="redirect", region="eu-central-1")).net
    assert done.returncode == 0
    assert re.search(rf"^\| total .* \${total:,.2f} \|$", done.stdout, re.M)
    assert "Always free" in done.stdout
