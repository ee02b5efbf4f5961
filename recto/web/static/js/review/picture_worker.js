/** Decodes a picture and brings it to a width, beside the page's own thread. */

const WIDTH_OFFSET = 16; // of a PNG's IHDR chunk

addEventListener("message", async ({ data: { id, blob, widthPx } }) => {
  try {
    const head = new DataView(await blob.slice(0, WIDTH_OFFSET + 4).arrayBuffer());
    const width = Math.min(widthPx, head.getUint32(WIDTH_OFFSET));
    const bitmap = await createImageBitmap(blob, { resizeWidth: width, resizeQuality: "high" });
    postMessage({ id, bitmap, widthPx: width }, [bitmap]);
  } catch (error) {
    postMessage({ id, error: error.message });
  }
});
