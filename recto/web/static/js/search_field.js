/** The key "/" goes to the search field of the page, unless something is being typed. */

const isTyping = (element) => element.closest("input:not([type=checkbox]), textarea, select, [contenteditable]") !== null;

export function focusSearchBySlash() {
  const field = document.querySelector("[data-search]");
  if (!field) return;
  addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    event.preventDefault();
    field.focus();
    field.select();
  });
}
