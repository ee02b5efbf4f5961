/** Addresses and requests. The base path comes from the page, so that Recto works below any prefix of a proxy. */

import { _, sentenceFor } from "./translate.js";

const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content ?? "";

const base = meta("recto-base").replace(/\/*$/, "/");

export const csrfToken = () => meta("csrf-token");
export const apiUrl = (path) => `${base}api/v1/${path}`;
export const tagUrl = (tag) => `${base}?${new URLSearchParams({ tag })}`;
export const jobUrl = (uuid) => `${base}jobs/${uuid}`;
export const textUrl = (uuid) => apiUrl(`jobs/${uuid}/result?format=txt`);

/** An answer that is not a success; `detail` is a sentence for the reader. */
export class Problem extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

const SENTENCES = {
  0: _("The server cannot be reached. Check the connection and try again."),
  401: _("You are signed out. Reload the page to sign in again."),
  413: _("The file is larger than the server accepts."),
};

/** The Problem that a response's status and body describe; a proxy's answer may hold no problem+json. */
export function problemFrom(status, body) {
  if (status === 401) return new Problem(status, SENTENCES[status]); // the detail is for programs: it speaks of tokens
  let detail;
  try {
    detail = sentenceFor(JSON.parse(body));
  } catch {
    detail = undefined;
  }
  return new Problem(status, detail || SENTENCES[status] || _("The server answered with error %(status)s. Try again.", { status }));
}

/** The sentence for a reader of whatever a request ended in; `fetch` itself fails where the server cannot be reached. */
export const sentenceOf = (error) => (error instanceof Problem ? error.message : SENTENCES[0]);

export async function getJson(url, signal) {
  const response = await fetch(url, { signal, headers: { Accept: "application/json" } });
  const body = await response.text();
  if (!response.ok) throw problemFrom(response.status, body);
  return JSON.parse(body);
}
