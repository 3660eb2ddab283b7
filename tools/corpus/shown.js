// Runs in Chromium, for shown.py: compares how the browser shows two files, and a thumbnail of them.
"use strict";

const STRIP = 2 ** 22; // pixels that are compared at a time, so that memory has a bound
const FRAMES = 50; // of an animation that are compared
const SIDE = 1_024; // pixels of a frame's sides that are compared
const BLOCKS = 8; // at most in each direction: their mean colours are compared with those of the thumbnail
const BLOCK = 8; // pixels of a block's side, at least: WebP has one colour for 2 x 2 pixels
const CONTRAST = 0.25; // of the standard deviation around a block: what WebP's loss of colour at edges may add to its mean
const REACH = 4; // pixels around a block whose colours may run into it
const PATIENCE = 60_000; // milliseconds

// Load a picture, or return null if the browser does not show it.
async function loaded(url) {
  const image = new Image();
  image.src = url;
  const late = new Promise((_, reject) => setTimeout(reject, PATIENCE));
  try {
    await Promise.race([image.decode(), late]);
  } catch {
    return null;
  }
  return image.naturalWidth ? image : null;
}

function context(width, height) {
  const canvas = new OffscreenCanvas(width, height);
  const drawing = canvas.getContext("2d", { willReadFrequently: true });
  drawing.imageSmoothingQuality = "high";
  return drawing;
}

// Return the greatest difference of any channel of any pixel.
function difference(one, other) {
  const width = one.naturalWidth, height = one.naturalHeight;
  const rows = Math.max(1, Math.min(height, Math.floor(STRIP / width)));
  const drawing = context(width, rows);
  const pixels = (image, top, count) => {
    drawing.clearRect(0, 0, width, rows);
    drawing.drawImage(image, 0, top, width, count, 0, 0, width, count);
    return drawing.getImageData(0, 0, width, count).data;
  };
  let most = 0;
  for (let top = 0; top < height; top += rows) {
    const count = Math.min(rows, height - top);
    most = Math.max(most, greatest(pixels(one, top, count), pixels(other, top, count)));
  }
  return most;
}

function greatest(a, b) {
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i] - b[i]));
  return most;
}

// Return a decoder that has read all of a picture, or null if it cannot.
async function decoder(url) {
  const response = await fetch(url);
  const type = response.headers.get("content-type");
  try {
    const made = new ImageDecoder({ data: await response.arrayBuffer(), type });
    await Promise.all([made.completed, made.tracks.ready]);
    return made.tracks.selectedTrack && made;
  } catch {
    return null;
  }
}

// Return how many frames of each of two pictures can be shown, and the greatest difference of those after the first.
async function animations(urls) {
  const [one, other] = await Promise.all(urls.map(decoder));
  if (!one || !other) return { frames: null, difference: 0 };
  const frames = [1, 1];
  let most = 0;
  for (let number = 1; number < FRAMES; number++) {
    const found = await Promise.all([one, other].map((each) => frame(each, number).catch(() => null)));
    found.forEach((pixels, i) => { if (pixels) frames[i] = number + 1; });
    if (!found[0] || !found[1]) break;
    most = Math.max(most, greatest(...found));
  }
  return { frames, difference: most };
}

// Return the pixels of a frame.
async function frame(decoder, number) {
  if (number >= decoder.tracks.selectedTrack.frameCount) throw new RangeError(number);
  const { image } = await decoder.decode({ frameIndex: number });
  const width = Math.min(image.displayWidth, SIDE), height = Math.min(image.displayHeight, SIDE);
  const drawing = context(width, height);
  drawing.drawImage(image, 0, 0);
  image.close();
  return drawing.getImageData(0, 0, width, height).data;
}

// Return the pixels of a picture in this size.
function scaled(image, width, height) {
  const drawing = context(width, height);
  drawing.drawImage(image, 0, 0, width, height);
  return drawing.getImageData(0, 0, width, height);
}

// Return the mean and the standard deviation of a part of the pixels, for red, green and blue times opacity, and opacity.
function statistics({ data, width, height }, left, top, right, bottom) {
  const sums = [0, 0, 0, 0], squares = [0, 0, 0, 0];
  let count = 0;
  for (let y = Math.max(0, top); y < Math.min(height, bottom); y++) {
    for (let x = Math.max(0, left); x < Math.min(width, right); x++, count++) {
      const i = 4 * (y * width + x);
      for (let channel = 0; channel < 4; channel++) {
        const value = channel < 3 ? data[i + channel] * data[i + 3] / 255 : data[i + 3];
        sums[channel] += value;
        squares[channel] += value * value;
      }
    }
  }
  const means = sums.map((sum) => sum / count);
  return { means, deviations: squares.map((sum, i) => Math.sqrt(Math.max(0, sum / count - means[i] ** 2))) };
}

// Return by how many levels more the means of the thumbnail's blocks differ from those of the picture than the contrast
// in and around the block allows.  Return null if the thumbnail is so thin that its few rows or columns depend on the way
// to scale.
function distance(image, thumbnail) {
  const width = thumbnail.naturalWidth, height = thumbnail.naturalHeight;
  if (width < image.naturalWidth && Math.min(width, height) < BLOCK) return null;
  const given = scaled(thumbnail, width, height), wanted = scaled(image, width, height);
  const [across, down] = [width, height].map((side) => Math.max(1, Math.min(BLOCKS, Math.floor(side / BLOCK))));
  let most = 0;
  for (let row = 0; row < down; row++) {
    for (let column = 0; column < across; column++) {
      const left = Math.floor(column * width / across), right = Math.floor((column + 1) * width / across);
      const top = Math.floor(row * height / down), bottom = Math.floor((row + 1) * height / down);
      const is = statistics(given, left, top, right, bottom), should = statistics(wanted, left, top, right, bottom);
      const around = statistics(wanted, left - REACH, top - REACH, right + REACH, bottom + REACH);
      const allowed = CONTRAST * Math.max(...around.deviations);
      most = Math.max(most, ...is.means.map((mean, i) => Math.abs(mean - should.means[i]) - allowed));
    }
  }
  return most;
}

const size = (image) => image && [image.naturalWidth, image.naturalHeight];

async function compare([original, stored, thumbnail]) {
  const [one, other, small] = await Promise.all([original, stored, thumbnail].map((url) => url && loaded(url)));
  const alike = one && other && String(size(one)) === String(size(other));
  const rest = alike ? await animations([original, stored]) : { frames: null, difference: 0 };
  return {
    original: size(one) || null,
    stored: size(other) || null,
    thumbnail: size(small) || null,
    frames: rest.frames,
    difference: alike ? Math.max(difference(one, other), rest.difference) : null,
    distance: one && small ? distance(one, small) : null,
  };
}
