/** Moves a pane by dragging it with the mouse. A finger scrolls it anyway. */

const CLICK_PX = 4;

export function enableDragging(pane) {
  let from = null;
  let hasMoved = false;
  pane.addEventListener("pointerdown", (event) => {
    const onScrollbar = event.offsetX > pane.clientWidth && event.target === pane;
    if (event.pointerType !== "mouse" || event.button !== 0 || onScrollbar || event.target.closest("button")) return;
    from = { x: event.clientX, y: event.clientY, left: pane.scrollLeft, top: pane.scrollTop };
    hasMoved = false;
  });
  addEventListener("pointermove", (event) => {
    if (!from) return;
    const [x, y] = [event.clientX - from.x, event.clientY - from.y];
    if (!hasMoved && Math.hypot(x, y) < CLICK_PX) return;
    hasMoved = true;
    pane.classList.add("is-dragged");
    pane.scrollTo({ left: from.left - x, top: from.top - y, behavior: "instant" });
  });
  for (const type of ["pointerup", "pointercancel"]) {
    addEventListener(type, () => {
      from = null;
      pane.classList.remove("is-dragged");
    });
  }
  pane.addEventListener(
    "click",
    (event) => {
      if (hasMoved) event.stopPropagation(); // the end of a drag is no click on a word
      hasMoved = false;
    },
    true,
  );
}
