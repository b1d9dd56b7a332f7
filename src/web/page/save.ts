/** Saves what the page shows as a file. */

/** Pixels of a PNG for each of the drawing's own. */
const SCALE = 2;

/**
 * A drawing of the page as it stands in a file: colours that are variables of the style sheet, `var(--ink, #1b1f24)`, become
 * what stands behind the comma, since only browsers know variables.
 */
export function standalone(svg: string): string {
  return svg.replace(/var\(--[\w-]+,\s*([^()]+)\)/g, "$1");
}

export function save(name: string, content: Blob): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The browser has taken hold of the content by the next turn.
  setTimeout(() => URL.revokeObjectURL(address));
}

/** Draws an SVG on white. Its colours are those that stand in it, not those of the page around. */
export async function toPng(svg: string): Promise<Blob> {
  const address = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = image.naturalWidth * SCALE;
    canvas.height = image.naturalHeight * SCALE;
    const pen = canvas.getContext("2d");
    if (!pen) throw new Error("this browser draws on no canvas");
    pen.fillStyle = "#ffffff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise<Blob>((resolve, reject) =>
      canvas.toBlob(
        (blob) => (blob ? resolve(blob) : reject(new Error("the canvas gave no picture"))),
        "image/png",
      ),
    );
  } finally {
    URL.revokeObjectURL(address);
  }
}
