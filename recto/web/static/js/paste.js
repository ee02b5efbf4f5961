/** Files and pictures pasted anywhere on the page. */

import { _ } from "./translate.js";

const PASTED = _("Pasted");
const PICTURE = "image.png"; // what browsers call a picture that was copied and no file

export function acceptPastes(onFiles) {
  addEventListener("paste", (event) => {
    const files = Array.from(event.clipboardData?.files ?? []);
    if (files.length === 0) return; // text goes where it was pasted
    event.preventDefault();
    onFiles(files.map((file) => (file.name === PICTURE ? named(file) : file)));
  });
}

/** So that several of them can be told apart in the list. */
function named(file) {
  const now = new Date();
  const two = (number) => String(number).padStart(2, "0");
  const day = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  const time = `${two(now.getHours())}.${two(now.getMinutes())}.${two(now.getSeconds())}`;
  return new File([file], `${PASTED} ${day} ${time}.png`, { type: file.type });
}
