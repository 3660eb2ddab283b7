# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # petAPI from Python
#
# petAPI is an image service. You upload pictures with a *label* and a *weight*, and ask for a random picture of a
# label. A picture with twice the weight comes twice as often, exactly. You can also search the pictures, and make
# mosaics of them.
#
# This notebook shows all of that from top to bottom. Each cell does one thing. You need a copy of the repository with
# petAPI, and in a terminal, in its folder:
#
# ```sh
# make run
# ```
#
# That starts petAPI at <http://127.0.0.1:3000>. Then install what this notebook uses, and open it:
#
# ```sh
# pip install ./client jupyterlab matplotlib numpy pillow
# jupyter lab docs/client.ipynb
# ```
#
# To use another petAPI, set the environment variable `PETAPI_URL` first, and `PETAPI_TOKEN` if it asks for a token. It
# has to take any label, as `make run` does.

# %% [markdown]
# ## Start
#
# `PetApi` is the client: each thing that petAPI can do is a method.

# %%
import os

from petapi_client import PetApi, Problem

URL = os.environ.get("PETAPI_URL") or "http://127.0.0.1:3000"
api = PetApi(URL, os.environ.get("PETAPI_TOKEN"))

# %% [markdown]
# The notebook uses labels of its own, so your images are safe. If it was interrupted before, something may be left.
# This deletes it, and the last cell does it again.

# %%
BOAT, PHOTO, TILE, COPY = "notebook-boat", "notebook-photo", "notebook-tile", "notebook-copy"


def clean():
    """Delete all images of the notebook's labels."""
    for label in (BOAT, PHOTO, TILE, COPY):
        for image in list(api.images(label)):
            api.delete(image.id)


clean()

# %% [markdown]
# The pictures come from the repository: 24 photographs, and a cat for later.

# %%
from pathlib import Path

ROOT = Path("..") if Path("../web/samples").is_dir() else Path()
SAMPLES = sorted((ROOT / "web/samples").glob("*.jpg"))
CAT = ROOT / "tests/images/chelsea.png"
len(SAMPLES)

# %% [markdown]
# A small function to look at pictures: side by side, each with a line of text.

# %%
import io

from IPython.display import Image as Shown
from PIL import Image, ImageDraw


def show(*pictures, height=150):
    """Show pairs of a picture's bytes and a text."""
    images = [Image.open(io.BytesIO(content)).convert("RGB") for content, _ in pictures]
    images = [image.resize((image.width * height // image.height, height)) for image in images]
    strip = Image.new("RGB", (sum(image.width + 10 for image in images), height + 40), "white")
    pen, left = ImageDraw.Draw(strip), 0
    for image, (_, text) in zip(images, pictures):
        strip.paste(image, (left, 0))
        pen.text((left, height + 4), text, "black", font_size=13)
        left += image.width + 10
    jpeg = io.BytesIO()
    strip.save(jpeg, "JPEG", quality=80)
    return Shown(jpeg.getvalue())


def thumbnail(image):
    """Get a small version of an image."""
    return api.picture(image.id, size=256)


# %% [markdown]
# ## Upload
#
# An upload has a picture and a label. The weight says how often the image is drawn, compared with the others of its
# label. It lies above 0 and below 1. Tags are words to find the image by.
#
# Weights are decimal numbers, and petAPI rounds nothing, so they are written as texts here: `Decimal("0.3")` is exact,
# and `Decimal(0.3)` is not.

# %%
from decimal import Decimal


def upload(name, weight, tags=()):
    """Upload one of the photographs as a boat."""
    picture = (ROOT / "web/samples" / name).read_bytes()
    return api.upload(picture, BOAT, weight=Decimal(weight), tags=tags, filename=name)


uploaded = upload("sailing-yacht.jpg", "0.6", ["sail"])
yacht = uploaded.image

print(uploaded.is_new)
print(yacht.id)
print(yacht.width, "x", yacht.height, "pixels,", yacht.size, "bytes,", yacht.content_type)

# %% [markdown]
# The image `is_new`: it was not there before. Its `id` is the label and a name, and the name is a hash of the picture.
# So the same picture is never stored twice:

# %%
upload("sailing-yacht.jpg", "0.6", ["sail"]).is_new

# %% [markdown]
# Two more boats:

# %%
regatta = upload("sailing-regatta.jpg", "0.3", ["sail"]).image
anchor = upload("boat-at-anchor.jpg", "0.1").image

show(*[(thumbnail(image), f"weight {image.weight}") for image in (yacht, regatta, anchor)])

# %% [markdown]
# ## Draw
#
# petAPI is plain HTTP. A draw is a request to `/random`, and the answer is the picture itself. Any program can ask,
# and so can `<img>` on a web page.

# %%
import requests

answer = requests.get(f"{URL}/random", params={"label": BOAT, "seed": "first"}, timeout=60)
show((answer.content, "drawn"), height=220)

# %% [markdown]
# The headers say which image it is, and how likely it was: its weight divided by the weight of all boats.

# %%
for name in ("Content-Type", "Image-Id", "Image-Weight", "Image-Total-Weight", "Image-Probability"):
    print(f"{name}: {answer.headers[name]}")

# %% [markdown]
# The client asks for the same as JSON:

# %%
drawn = api.random(BOAT)
print(drawn.image.filename, "came with probability", drawn.probability)

# %% [markdown]
# ## Is that true?
#
# petAPI tells the exact probability of each image of a label. Together they make one.

# %%
law = {}
for page in api.law(BOAT):
    law |= {image_id: probability for image_id, (weight, probability) in page.images.items()}
law

# %% [markdown]
# Now draw 200 times, 100 in one request, and count.

# %%
from collections import Counter

draws = [draw for seed in ("one", "two") for draw in api.random_many(BOAT, 100, seed=seed)]
counted = Counter(draw.image.id for draw in draws)
counted

# %% [markdown]
# Compare them. The blue bars are what came, and the red frames are what to expect of 200 draws.

# %%
import matplotlib.pyplot as plt

boats = [yacht, regatta, anchor]
names = [boat.filename for boat in boats]
drawn = [counted[boat.id] for boat in boats]
expected = [200 * law[boat.id] for boat in boats]

figure, axes = plt.subplots(figsize=(7, 3.2))
axes.bar(names, drawn, color="#8fb8de", label="drawn")
axes.bar(names, expected, fill=False, edgecolor="#c0392b", linewidth=2, label="expected")
axes.set_ylabel("times in 200 draws")
axes.legend()
plt.show()

# %% [markdown]
# The bars nearly fill the frames. They need not do so exactly, as a die that you throw 600 times need not show 100
# sixes. In a terminal, `petapi audit notebook-boat` draws 20,000 times, and tells with a statistical test whether
# petAPI is fair.

# %% [markdown]
# ## Draw without repeats, again, and one after the other
#
# `distinct` draws each image at most once. Each probability is the one among the images that were left, so the last
# one is always 1.

# %%
for draw in api.random_many(BOAT, 3, distinct=True):
    print(draw.image.filename, round(draw.probability, 3))

# %% [markdown]
# A seed makes a draw repeatable: the same text gives the same image, until something is uploaded, changed or deleted.
# Take the date, and you have a picture of the day. On your petAPI it may be another one than here.

# %%
[api.random(BOAT, seed=day).image.filename for day in ("monday", "monday", "tuesday")]

# %% [markdown]
# A session walks through all images in a random order, and shows each once. Heavy images tend to come first.

# %%
[api.random(BOAT, session="visitor 1", position=place).image.filename for place in range(3)]

# %% [markdown]
# A tag draws from some of the images only. Both sailing boats have the tag `sail`, so these are drawn with 2/3 and
# 1/3.

# %%
drawn = api.random(BOAT, tag="sail")
print(drawn.image.filename, drawn.probability)

# %% [markdown]
# ## Change
#
# Weight, tags and file name of an image can change, its picture never does. Ask for the image first. Its `etag` stands
# for the state that you have seen.

# %%
seen = api.image(anchor.id)
print(seen.image.weight, seen.probability)

# %% [markdown]
# Send it with your change, as `if_match`. Then the change is made only if no one else has changed the image meanwhile.
# In HTTP, this is `PATCH` with the header `If-Match`.

# %%
now = api.change(anchor.id, weight=Decimal("0.9"), tags=["calm"], if_match=seen.etag)
print(now.image.weight, now.probability, now.image.tags)

# %% [markdown]
# The image has a new state now. So a second change that was made for the old state is refused with status 412. Nothing
# is overwritten by accident.

# %%
try:
    api.change(anchor.id, weight=Decimal("0.2"), if_match=seen.etag)
except Problem as problem:
    print(problem.status, problem)

# %% [markdown]
# ## Large files
#
# A plain upload ends at 4.5 MB. Larger files, up to 20 MB, go straight to S3, where petAPI picks them up. The client
# does this by itself for a large file, and `upload_directly` does it for any. It waits until the image is `stored`,
# or, as here, until petAPI has found out what the picture shows.

# %%
macaws = (ROOT / "web/samples/macaws.jpg").read_bytes()
bird = api.upload_directly(macaws, PHOTO, filename="macaws.jpg", until="recognised").image
show((thumbnail(bird), bird.filename))

# %% [markdown]
# What it shows, with a confidence in percent. `make run` asks a small network that runs on your machine. In the cloud,
# Amazon Rekognition can do it.

# %%
bird.labels

# %% [markdown]
# ## Search
#
# Upload the other photographs, too. They get no weight, so each has 0.5, and no tags.

# %%
photos = [api.upload(path.read_bytes(), PHOTO, filename=path.name).image for path in SAMPLES]
len(photos)

# %% [markdown]
# An image can be found some seconds after its upload. This waits until all are there.

# %%
import time


def wait_for(look, number, patience=600):
    """Wait until `look` returns at least so many things, and return them."""
    end = time.monotonic() + patience
    while len(found := look()) < number:
        if time.monotonic() > end:
            raise TimeoutError(f"{len(found)} of {number} things are there; is petAPI busy?")
        time.sleep(1)
    return found


found = wait_for(lambda: api.search("photograph", label=PHOTO, k=100), len(SAMPLES))
len(found)

# %% [markdown]
# Find a meadow. No file has that name, and no image has that tag. petAPI finds what *looks* like one: it compares the
# meaning of the word with what it sees in the pictures.

# %%
hits = api.search("meadow", label=PHOTO, k=3)
show(*[(thumbnail(hit.image), f"{hit.similarity:.2f} by {hit.by}") for hit in hits])

# %% [markdown]
# File names and tags count, too. Images that have the word come first, `by` words.

# %%
hits = api.search("lighthouse", label=PHOTO, k=3)
show(*[(thumbnail(hit.image), f"{hit.similarity:.2f} by {hit.by}") for hit in hits])

# %% [markdown]
# Which pictures look like this house? A similarity of 1 would be the same picture.

# %%
(house,) = [image for image in photos if image.filename == "painted-house.jpg"]
hits = api.similar(house.id, label=PHOTO, k=3)

alike = [(thumbnail(hit.image), f"{hit.similarity:.2f}") for hit in hits]
show((thumbnail(house), "this house"), *alike)

# %% [markdown]
# You can also search by a picture that petAPI does not have. Here it is a piece cut out of one that it has, and it
# finds the whole.

# %%
whole = Image.open(ROOT / "web/samples/lighthouse-on-cape.jpg")
piece = io.BytesIO()
whole.crop((200, 60, 600, 430)).save(piece, "JPEG")

hits = api.search_by_picture(piece.getvalue(), label=PHOTO, k=3)
alike = [(thumbnail(hit.image), f"{hit.similarity:.2f}") for hit in hits]
show((piece.getvalue(), "the piece"), *alike)

# %% [markdown]
# ## Bring a folder
#
# Soon we make a mosaic, and for that we need many pictures. Cut 12 squares out of each photograph, and save them in a
# folder.

# %%
import random
import shutil

shutil.rmtree("client-files", ignore_errors=True)
FOLDER = Path("client-files/squares")
FOLDER.mkdir(parents=True)

chance = random.Random(1)
for path in SAMPLES:
    photo = Image.open(path)
    for number in range(12):
        side = chance.randint(32, 160)
        left = chance.randint(0, photo.width - side)
        top = chance.randint(0, photo.height - side)
        square = photo.crop((left, top, left + side, top + side)).resize((64, 64))
        square.save(FOLDER / f"{path.stem}-{number:02}.jpg", quality=85)

files = sorted(FOLDER.glob("*.jpg"))
len(files)

# %% [markdown]
# A file `weights.csv` in the folder says how often each is to be drawn. The numbers may be of any size, because only
# their ratio counts: 1, 2, 3 and so on.

# %%
rows = [f"{path.name},{weight}" for weight, path in enumerate(files, start=1)]
(FOLDER / "weights.csv").write_text("\n".join(["file,weight", *rows, ""]))
rows[:3]

# %% [markdown]
# `petapi import` uploads the whole folder. It is a command for the terminal, where it shows a bar while it works. You
# can also call it from Python. 0 means that all went well.

# %%
from petapi_client.commands import main as petapi

petapi(["import", str(FOLDER), "--label", TILE, "--url", URL])

# %% [markdown]
# Weights in petAPI are below 1, so the import has divided them all by the same power of ten. The ratios are exactly
# those of the file. Compare all of them as fractions:

# %%
from fractions import Fraction

numbers = range(1, len(files) + 1)
in_file = [Fraction(number, sum(numbers)) for number in numbers]

weights = [Fraction(weight) for page in api.law(TILE) for weight, _ in page.images.values()]
stored = [weight / sum(weights) for weight in weights]

print(sorted(stored) == in_file)

# %% [markdown]
# If an import is interrupted, call it again. It goes on where it stopped. Now there is nothing left to do:

# %%
petapi(["import", str(FOLDER), "--label", TILE, "--url", URL])

# %% [markdown]
# ## Mosaic
#
# petAPI keeps a small version of each image, 32 x 32 pixels: its *tile*. All tiles of a label come as one `.npz` file
# for numpy. Wait until the new images have theirs.

# %%
import numpy as np


def tiles_of(label):
    """Get the file of a label's tiles. As long as no image has a tile, there is none."""
    answer = requests.get(f"{URL}/labels/{label}/tiles", timeout=60)
    if answer.status_code == 404:
        return {"tiles": ()}
    answer.raise_for_status()
    return np.load(io.BytesIO(answer.content), allow_pickle=False)


tiles = wait_for(lambda: tiles_of(TILE)["tiles"], len(files))

# %% [markdown]
# The file has three arrays: the tiles, their mean colours, and the names of their images.

# %%
file = tiles_of(TILE)
for name in file:
    print(name, file[name].shape, file[name].dtype)

# %% [markdown]
# This is the picture to make again. It is a photograph of a cat that is no tile itself.

# %%
cat = api.upload(CAT.read_bytes(), PHOTO, filename=CAT.name).image
show((thumbnail(cat), cat.filename), height=300)

# %% [markdown]
# And this is petAPI's mosaic of it. Each cell has a tile that comes close. Look at it from far away.

# %%
mosaic = api.mosaic(cat.id, columns=60, tiles=TILE)
show((mosaic, f"{len(tiles)} tiles, 60 columns"), height=480)

# %% [markdown]
# ## A mosaic of your own
#
# With the tiles in numpy, a mosaic takes a few lines. Make the picture so small that it has one pixel for each cell.
# For each pixel, take the tile whose mean colour is nearest.

# %%
columns, rows = 60, 40
small = Image.open(CAT).convert("RGB").resize((columns, rows), Image.Resampling.BOX)
cells = np.asarray(small, float)

distances = ((cells[:, :, None] - file["means"]) ** 2).sum(axis=-1)
nearest = tiles[distances.argmin(axis=-1)]  # rows, columns, 32, 32, 3
picture = nearest.swapaxes(1, 2).reshape(rows * 32, columns * 32, 3)

jpeg = io.BytesIO()
Image.fromarray(picture).save(jpeg, "JPEG")
show((jpeg.getvalue(), "the nearest mean colour"), height=480)

# %% [markdown]
# This is the plain way, and in some areas one tile comes again and again. petAPI compares tiles in four quarters and
# by the light that the eye sees, and keeps equal tiles apart. That looks better the more tiles there are; it uses up
# to 2,000.

# %% [markdown]
# ## Take everything home
#
# `petapi export` saves all pictures of a label in a folder, with a `weights.csv`. It is a backup.

# %%
petapi(["export", BOAT, "client-files/backup", "--url", URL])

# %%
print(Path("client-files/backup/weights.csv").read_text())

# %% [markdown]
# An import takes such a folder as it is. Names, weights and tags are the same again, here under another label.

# %%
petapi(["import", "client-files/backup", "--label", COPY, "--url", URL])

# %%
before = {(image.name, image.filename, image.weight, image.tags) for image in api.images(BOAT)}
after = {(image.name, image.filename, image.weight, image.tags) for image in api.images(COPY)}
print(before == after)

# %% [markdown]
# ## Delete
#
# A deleted image is gone at once, and so is its address.

# %%
api.delete(anchor.id)

# %% [markdown]
# The others are drawn with new probabilities, which are exact again: 2/3 and 1/3.

# %%
for page in api.law(BOAT):
    for weight, probability in page.images.values():
        print(weight, probability)

# %% [markdown]
# ## When something is wrong
#
# petAPI refuses what it cannot do, and says why. In Python, a refusal is a `Problem`. It has the HTTP status, a
# sentence, and the names of the fields that were wrong, if any.


# %%
def explain(call, *arguments, **options):
    """Call something that is refused, and print how."""
    try:
        call(*arguments, **options)
    except Problem as problem:
        print(problem.status, problem)
        for field in problem.fields:
            print("field:", field)


# %% [markdown]
# An image that was deleted:

# %%
explain(api.image, anchor.id)

# %% [markdown]
# A weight that is too large:

# %%
explain(upload, "boat-at-pier.jpg", "2")

# %% [markdown]
# A text that is no picture:

# %%
explain(api.upload, b"Meow!", BOAT)

# %% [markdown]
# A picture that is there with another weight. petAPI does not guess which one you mean, and changes nothing:

# %%
explain(upload, "sailing-yacht.jpg", "0.5", ["sail"])

# %% [markdown]
# More different images than there are:

# %%
explain(api.random_many, BOAT, 50, distinct=True)

# %% [markdown]
# A server that does not answer. There is no HTTP status, so it is 0:

# %%
explain(PetApi("http://127.0.0.1:1").random, BOAT)

# %% [markdown]
# ## Clean up
#
# Delete the images and the files of this notebook.

# %%
clean()
shutil.rmtree("client-files")

# %% [markdown]
# ## Where to go next
#
# - The [API reference](reference/api.md) has every route, parameter and limit.
# - [How to import and export](how-to/import-and-export.md) has all about folders and `weights.csv`.
# - [How to search](how-to/search.md) and [How to make mosaics](how-to/mosaics.md) say how both work.
# - [How to embed random pictures](how-to/embed.md) shows them on a page and in a chat.
