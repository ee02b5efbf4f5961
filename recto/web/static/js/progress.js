/** Pages read so far: a small leaf for each page, or a bar where there are too many. */

const MOST_LEAVES = 60;

export function showProgress(element, job) {
  const { pages_done: done, page_count: count } = job.progress;
  const bar = element.querySelector("progress");
  const leaves = element.querySelector(".leaves");
  element.hidden = job.status !== "IN_PROGRESS";
  if (count) {
    bar.max = count;
    bar.value = done;
  } else {
    bar.removeAttribute("value");
  }
  drawLeaves(leaves, done, count ?? 0);
  bar.classList.toggle("sr-only", !leaves.hidden);
}

function drawLeaves(leaves, done, count) {
  leaves.hidden = count < 2 || count > MOST_LEAVES;
  if (leaves.hidden) return;
  while (leaves.children.length > count) leaves.lastChild.remove();
  while (leaves.children.length < count) leaves.append(document.createElement("i"));
  Array.from(leaves.children).forEach((leaf, index) => {
    leaf.className = index < done ? "done" : index === done ? "next" : "";
  });
}
