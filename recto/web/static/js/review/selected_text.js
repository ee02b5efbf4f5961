/** Copying gives the text as result.txt has it: without the headings of the pages and whatever else stands between them. */

export function copyTextAlone(element) {
  element.addEventListener("copy", (event) => {
    const text = selectedText(element);
    if (!text) return;
    event.clipboardData.setData("text/plain", text);
    event.preventDefault();
  });
}

function selectedText(element) {
  const selection = getSelection();
  if (selection.isCollapsed) return "";
  const range = selection.getRangeAt(0);
  const pieces = Array.from(element.querySelectorAll(".text-page pre"))
    .filter((pre) => range.intersectsNode(pre))
    .map((pre) => within(range, pre));
  return pieces.filter((piece) => piece !== "").join("\n\n");
}

function within(range, pre) {
  const part = document.createRange();
  part.selectNodeContents(pre);
  if (range.compareBoundaryPoints(Range.START_TO_START, part) > 0) part.setStart(range.startContainer, range.startOffset);
  if (range.compareBoundaryPoints(Range.END_TO_END, part) < 0) part.setEnd(range.endContainer, range.endOffset);
  return part.toString();
}
