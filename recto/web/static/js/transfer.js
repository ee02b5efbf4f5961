/** One upload over the wire. XMLHttpRequest, because fetch does not report how much was sent. */

import { apiUrl, csrfToken, problemFrom } from "./server.js";

/** Resolves to the new job, rejects with a Problem; `signal` stops it, `onProgress` hears a share from 0 to 1. */
export function sendDocument(file, options, { onProgress, signal }) {
  const body = new FormData();
  for (const [name, value] of Object.entries(options)) {
    if (value) body.append(name, value);
  }
  body.append("document", file);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", apiUrl("jobs"));
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", csrfToken());
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    });
    request.addEventListener("load", () => {
      if (request.status === 202 || request.status === 200) resolve(JSON.parse(request.responseText));
      else reject(problemFrom(request.status, request.responseText));
    });
    request.addEventListener("error", () => reject(problemFrom(0, "")));
    request.addEventListener("abort", () => reject(new DOMException("Upload stopped", "AbortError")));
    signal.addEventListener("abort", () => request.abort());
    if (signal.aborted) {
      reject(new DOMException("Upload stopped", "AbortError"));
      return;
    }
    request.send(body);
  });
}
