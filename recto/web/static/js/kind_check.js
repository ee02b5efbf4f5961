/** Asks the server about the beginning of a file, before all of it is on its way. */

import { csrfToken, problemFrom } from "./server.js";
import { _ } from "./translate.js";

const HEAD_BYTES = 1040; // as many as the server looks at

/** What is wrong with the kind of the file, as a sentence; null where nothing is, or nobody can tell now: the upload will. */
export async function kindObjection(url, file, signal) {
  let head;
  try {
    head = await file.slice(0, HEAD_BYTES).arrayBuffer();
  } catch {
    return _("The file cannot be read: a folder, or a file that was changed or moved. Choose it again.");
  }
  const headers = { Accept: "application/json", "Content-Type": "application/octet-stream", "X-CSRFToken": csrfToken() };
  const response = await fetch(url, { method: "POST", body: head, headers, signal }).catch(() => null);
  return response?.status === 415 ? problemFrom(415, await response.text()).message : null;
}
