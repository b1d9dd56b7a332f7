/** Drawings as PNG: the SVG drawn by Skia, in a font that comes along, so that any machine gives the same letters. */

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createCanvas, GlobalFonts, loadImage } from "@napi-rs/canvas";

/** Pixels for each unit of the drawing: sharp on paper and on fine screens. */
const SCALE = 2;

const FAMILY = "Coppice Inter";
/** The weights that drawings use. */
const FILES = [400, 600].map((weight) => `@fontsource/inter/files/inter-latin-${weight}-normal.woff2`);

let registered: Promise<void> | undefined;

/** A standalone SVG (fixed colours, no variables) as the bytes of a PNG file. Throws an Error without its size. */
export async function pngOf(svg: string): Promise<Buffer> {
  registered ??= registerFonts();
  await registered;
  const size = /(<svg [^>]*?)width="([\d.]+)" height="([\d.]+)"/.exec(svg);
  if (size === null) throw new Error("an SVG without width and height");
  const [opening, before, ...sides] = size;
  const [width, height] = sides.map((side) => Math.ceil(Number(side) * SCALE));
  // Enlarged in the drawing itself: an image drawn larger than it says it is may be made of pixels first.
  const drawing = svg
    .replace(opening, `${before}width="${width}" height="${height}"`)
    .replaceAll('font-family="system-ui, sans-serif"', `font-family="${FAMILY}, sans-serif"`);
  const canvas = createCanvas(width!, height!);
  canvas.getContext("2d").drawImage(await loadImage(Buffer.from(drawing)), 0, 0);
  return canvas.encode("png");
}

async function registerFonts(): Promise<void> {
  const { resolve } = createRequire(import.meta.url);
  for (const file of FILES) GlobalFonts.register(await readFile(resolve(file)), FAMILY);
}
