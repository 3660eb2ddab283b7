// The law of a label: who has which probability, and whether draws agree with it. Pure.

export const NARROW = 26; // pixels; what would be narrower shares a slice
const EXPECTED_MIN = 5; // draws of each class of Pearson's test
const UNUSUAL = 0.01;

/** Return the images with their probabilities, the likeliest first. Weights count in billionths, so sums are exact. */
export function law(images, total) {
  const sum = total ?? images.reduce((so_far, { weight }) => so_far + Math.round(weight * 1e9), 0) / 1e9;
  return images
    .map((image) => ({ ...image, probability: image.weight / sum }))
    .sort((a, b) => b.weight - a.weight || (a.id < b.id ? -1 : 1));
}

/** Divide the strip: a slice for each image, or for several together where one would be too narrow. */
export function slices(images, width) {
  const parts = [];
  let left = images.reduce((sum, image) => sum + image.probability, 0);
  let group = null;
  for (const image of images) {
    if (!group && image.probability * width >= NARROW) parts.push({ probability: image.probability, of: [image] });
    else {
      const full = group && group.probability * width >= NARROW && left * width >= NARROW;
      if (!group || full) parts.push((group = { probability: 0, of: [] }));
      group.probability += image.probability;
      group.of.push(image);
    }
    left -= image.probability;
  }
  return parts;
}

/** Say how well the draws agree with what was expected of the classes, each { expected, count } in draws. */
export function verdict(classes, drawn) {
  if (!drawn) return ["", "Draw a few and see where they fall."];
  const draws = `${drawn.toLocaleString("en")} ${drawn === 1 ? "draw" : "draws"}.`;
  const frequent = classes.filter(({ expected }) => expected >= EXPECTED_MIN).map((each) => ({ ...each }));
  const rare = { count: 0, expected: 0 };
  for (const { count, expected } of classes.filter(({ expected }) => expected < EXPECTED_MIN)) {
    rare.count += count;
    rare.expected += expected;
  }
  if (classes.length === 1) return [draws, "There is only one to draw."];
  if (rare.expected >= EXPECTED_MIN) frequent.push(rare);
  else if (rare.expected && frequent.length) {
    frequent.at(-1).count += rare.count;
    frequent.at(-1).expected += rare.expected;
  }
  if (frequent.length < 2) return [draws, "Too few to tell."];
  const chi = frequent.reduce((sum, { count, expected }) => sum + (count - expected) ** 2 / expected, 0);
  const p = tail(chi, frequent.length - 1);
  const often = p > 0 && p < 0.001 ? "less than 0.1%" : `${(p * 100).toFixed(p < UNUSUAL ? 1 : 0)}%`;
  if (p < UNUSUAL) return [draws, `Unusual: a correct service is this uneven only ${often} of the time.`];
  return [draws, `As expected: a correct service is this uneven or more ${often} of the time.`];
}

/** Return the probability that chi-square with `freedom` degrees of freedom is at least `chi`: Q(freedom/2, chi/2). */
export function tail(chi, freedom) {
  const [a, x] = [freedom / 2, chi / 2];
  if (x <= 0) return 1;
  const front = Math.exp(a * Math.log(x) - x - logGamma(a));
  if (x < a + 1) {
    let sum = 1 / a; // the series of P(a, x)
    for (let n = 1, term = sum; term > sum * 1e-15; n++) sum += term *= x / (a + n);
    return Math.max(0, 1 - front * sum);
  }
  let b = x + 1 - a; // the continued fraction of Q(a, x), by Lentz
  let c = 1e300;
  let d = 1 / b;
  let value = d;
  for (let n = 1, factor = 0; n < 1000 && Math.abs(factor - 1) > 1e-15; n++) {
    b += 2;
    d = 1 / (b - n * (n - a) * d);
    c = b - (n * (n - a)) / c;
    value *= factor = c * d;
  }
  return front * value;
}

/** Stirling's series, after the argument was raised to where it is exact to 1e-12. */
function logGamma(a) {
  if (a < 10) return logGamma(a + 1) - Math.log(a);
  const y = 1 / (a * a);
  return (a - 0.5) * Math.log(a) - a + 0.9189385332046727 + (1 / 12 - y * (1 / 360 - y * (1 / 1260 - y / 1680))) / a;
}
