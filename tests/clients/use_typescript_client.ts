// `node built/use_typescript_client.js URL PICTURE`: use a client with the types that openapi-typescript generated.
// `make clients` generates them as petapi.ts, compiles this file with them, and runs it. TOKEN is a token of this petAPI.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import createClient from "openapi-fetch";
import type { components, paths } from "./petapi.js";

type Form = components["schemas"]["UploadForm"];
type Image = components["schemas"]["ImageWithProbability"];

const LABEL = "typescript";
const [, , url = "", picture = ""] = process.argv;
const client = createClient<paths>({ baseUrl: url, headers: { Authorization: `Bearer ${process.env["TOKEN"]}` } });
const content = readFileSync(picture);

// openapi-fetch sends JSON unless it gets another way to write a body.
function asForm(fields: object): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    form.append(name, value instanceof Blob ? value : String(value));
  }
  return form;
}

function upload(img: Blob, weight: number) {
  const body: Form = { label: LABEL, img, weight, tags: "fluffy,orange" };
  return client.POST("/upload", { body, bodySerializer: asForm });
}

// Upload a picture, and again: nothing changes.
async function uploads(): Promise<Image> {
  const file = new File([content], "picture.png", { type: "image/png" });
  const first = await upload(file, 0.75);
  const again = await upload(file, 0.75);
  const image = first.data;
  assert(image);
  assert.deepEqual([first.response.status, again.response.status], [201, 200]);
  assert.deepEqual(again.data, image);
  assert.deepEqual([image.label, image.weight, image.tags, image.filename], [LABEL, 0.75, ["fluffy", "orange"], "picture.png"]);
  assert.deepEqual([image.probability, image.bytes], [1, content.length]);
  return image;
}

// Draw one image and several as JSON, and a picture.
async function draws(image: Image): Promise<void> {
  const { data: one } = await client.GET("/random.json", { params: { query: { label: LABEL } } });
  assert(one && "id" in one);
  assert.deepEqual([one.id, one.probability, one.totalWeight], [image.id, 1, 0.75]);
  const query = { label: LABEL, count: 3, seed: "today" };
  const { data: several } = await client.GET("/random.json", { params: { query } });
  assert(several && "images" in several);
  assert.deepEqual(several.images.map((each) => each.id), [image.id, image.id, image.id]);
  const drawn = await client.GET("/random", { params: { query: { label: LABEL } }, parseAs: "blob" });
  assert(drawn.data instanceof Blob);
  assert.deepEqual(Buffer.from(await drawn.data.arrayBuffer()), content);
  assert.equal(drawn.response.headers.get("image-id"), image.id);
}

// Page through the label's images, and find the label among all labels.
async function lists(image: Image): Promise<void> {
  const ids: string[] = [];
  let more: { cursor?: string } = {};
  do {
    const { data } = await client.GET("/images", { params: { query: { label: LABEL, limit: 1, ...more } } });
    assert(data);
    ids.push(...data.images.map((each) => each.id));
    more = data.cursor === undefined ? {} : { cursor: data.cursor };
  } while (more.cursor !== undefined);
  assert.deepEqual(ids, [image.id]);
  const { data: labels } = await client.GET("/labels", { params: { query: { limit: 100 } } });
  assert.equal(labels?.labels.find((each) => each.label === LABEL)?.totalWeight, 0.75);
  const { data: distribution } = await client.GET("/labels/{label}", { params: { path: { label: LABEL } } });
  assert.deepEqual(distribution?.images.map((each) => [each.id, each.probability]), [[image.id, 1]]);
}

// List the images of the token's subject.
async function listsItsOwn(image: Image): Promise<void> {
  const { data } = await client.GET("/mine", { params: { query: { label: LABEL } } });
  assert.deepEqual(data?.images.map((each) => each.id), [image.id]);
}

// Get the picture and the image, and change the weight if nobody else has.
async function changes(image: Image): Promise<void> {
  const path = { label: LABEL, name: nameOf(image) };
  const { data: bytes } = await client.GET("/images/{label}/{name}", { params: { path }, parseAs: "arrayBuffer" });
  assert(bytes instanceof ArrayBuffer);
  assert.deepEqual(Buffer.from(bytes), content);
  const state = await client.GET("/images/{label}/{name}/info", { params: { path } });
  const header = { "If-Match": state.response.headers.get("etag") ?? "" };
  const change = { params: { path, header }, body: { weight: 0.25 } };
  const changed = await client.PATCH("/images/{label}/{name}", change);
  assert.deepEqual([changed.data?.weight, changed.data?.tags], [0.25, image.tags]);
  const late = await client.PATCH("/images/{label}/{name}", change);
  assert.equal(late.error?.status, 412);
}

// Get a form for a large file, and the state of the upload.
async function followsADirectUpload(): Promise<void> {
  const { data: begun } = await client.POST("/uploads", { body: { label: LABEL, weight: 0.5, tags: ["large"] } });
  assert(begun?.upload_info.fields["key"]);
  const { data: upload } = await client.GET("/uploads/{id}", { params: { path: { id: begun.id } } });
  assert.deepEqual([upload?.state, upload?.label], ["waiting", LABEL]);
}

// Get a 404, a 409 with the image that is there, and refusals that name the field.
async function getsRefusals(image: Image): Promise<void> {
  const unknown = await client.GET("/random.json", { params: { query: { label: "nothing" } } });
  assert.equal(unknown.error?.status, 404);
  const other = await upload(new Blob([content]), 0.5);
  assert.deepEqual([other.error?.status, other.error?.existing?.id], [409, image.id]);
  const refused: [{ error?: components["schemas"]["Problem"] }, number, string][] = [
    [await upload(new Blob([content]), 1.5), 422, "weight"],
    [await upload(new Blob(["no picture"]), 0.5), 415, "img"],
    [await client.GET("/random.json", { params: { query: { label: LABEL, count: 101 } } }), 422, "count"],
  ];
  for (const [{ error }, status, field] of refused) {
    assert.deepEqual([error?.status, error?.errors?.[0]?.field], [status, field]);
  }
}

// Upload with a token that is none: 401.
async function isNotKnown(): Promise<void> {
  const body: Form = { label: LABEL, img: new Blob([content]) };
  const headers = { Authorization: "Bearer none" };
  const { error } = await client.POST("/upload", { body, bodySerializer: asForm, headers });
  assert.equal(error?.status, 401);
}

// Delete the image, and get a 404 for it.
async function deletes(image: Image): Promise<void> {
  const path = { label: LABEL, name: nameOf(image) };
  const deleted = await client.DELETE("/images/{label}/{name}", { params: { path } });
  assert.equal(deleted.response.status, 204);
  const gone = await client.GET("/images/{label}/{name}/info", { params: { path } });
  assert.equal(gone.error?.status, 404);
}

function nameOf(image: Image): string {
  return image.id.slice(image.id.indexOf("/") + 1);
}

const image = await uploads();
await draws(image);
await lists(image);
await listsItsOwn(image);
await changes(image);
await followsADirectUpload();
await getsRefusals(image);
await isNotKnown();
await deletes(image);
