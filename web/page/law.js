// The law of a label: who has which probability, and whether draws agree with it. Pure.

export const NARROW = 26; // pixels; what would be narrower shares a slice
const EXPECTED_MIN = 5; // draws of each class of Pearson's test
const UNUSUAL = 0.01;

/** Return the images with their probabilities, the likeliest first. Weights count in billionths, so their sum is exact. */
export function law(images, total = images.reduce((sum, { weight }) => sum + Math.round(weight * 1e9), 0) / 1e9) {
  return images
    .map((image) => ({ ...image, probability: image.weight / total }))
    .sort((a, b) => b.weight - a.weight || (a.id < b.id ? -1 : 1));
}

/** Divide the strip: a slice for each image, or for several together where one would be too narrow. */
export function slices(images, width) {
  const parts = [];
  let left = images.reduce((sum, { probability }) => sum + probability, 0);
  let group = null;
  for (const image of images) {
    const wide = (probability) => probability * width >= NARROW;
    const alone = !group && wide(image.probability);
    if (alone || !group || (wide(group.probability) && wide(left))) {
      const part = { probability: 0, of: [] };
      parts.push(part);
      if (!alone) group = part;
    }
    parts.at(-1).probability += image.probability;
    parts.at(-1).of.push(image);
    left -= image.probability;
  }
  return parts;
}

/** Say how well the draws agree with what was expected of the classes, each { expected, count } in draws. */
export function verdict(classes, drawn) {
  if (!drawn) return ["", "Draw a few and see where they fall."];
  const draws = `${drawn.toLocaleString("en")} draw${drawn === 1 ? "" : "s"}.`;
  if (classes.length === 1) return [draws, "There is only one to draw."];
  const frequent = [];
  const rare = { count: 0, expected: 0 };
  for (const { count, expected } of classes) {
    if (expected >= EXPECTED_MIN) frequent.push({ count, expected });
    else {
      rare.count += count;
      rare.expected += expected;
    }
  }
  if (rare.expected >= EXPECTED_MIN) frequent.push(rare);
  if (frequent.length < 2) return [draws, "Too few to tell."];
  if (rare.expected < EXPECTED_MIN) {
    frequent.at(-1).count += rare.count;
    frequent.at(-1).expected += rare.expected;
  }
  const chi = frequent.reduce((sum, { count, expected }) => sum + (count - expected) ** 2 / expected, 0);
  const p = tail(chi, frequent.length - 1);
  const often = p < 0.001 ? "less than 0.1%" : `${(p * 100).toFixed(p < UNUSUAL ? 1 : 0)}%`;
  if (p < UNUSUAL) return [draws, `Unusual: a correct service is this uneven only ${often} of the time.`];
  return [draws, `As expected: a correct service is this uneven or more ${often} of the time.`];
}

/** Return the probability that chi-square is at least `chi`: Q(a, x) with Q(a + 1, x) = Q(a, x) + x^a e^-x / Gamma(a + 1). */
export function tail(chi, freedom) {
  const x = chi / 2;
  const odd = freedom % 2 === 1;
  let q = odd ? erfc(Math.sqrt(x)) : Math.exp(-x);
  let term = odd ? 2 * Math.sqrt(x / Math.PI) * Math.exp(-x) : x * Math.exp(-x);
  for (let a = odd ? 0.5 : 1; a < freedom / 2; a++) {
    q += term;
    term *= x / (a + 1);
  }
  return Math.max(0, q);
}

/** By Simpson's rule, to 1e-10. */
function erfc(z) {
  const steps = 400;
  const end = Math.min(z, 7);
  let sum = 0;
  for (let k = 0; k <= steps; k++) sum += Math.exp(-(((end * k) / steps) ** 2)) * (k % steps ? 2 + (k % 2) * 2 : 1);
  return 1 - ((2 / Math.sqrt(Math.PI)) * end * sum) / steps / 3;
}
