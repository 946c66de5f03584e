// Keeps live parts of a page quiet while nobody looks, and times as words up to date.
"use strict";

const lastTag = new Map();

// A hidden tab asks nothing.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden && event.target.matches("[data-live]")) event.preventDefault();
});

// Looked at again, it asks at once.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  document.querySelectorAll("[data-live]").forEach((part) => htmx.trigger(part, "look-again"));
});

// The browser answers a 304 from its cache: the same part again would only disturb the reader.
document.addEventListener("htmx:beforeSwap", (event) => {
  const part = event.target;
  if (!part.matches("[data-live]")) return;
  const tag = event.detail.xhr.getResponseHeader("ETag");
  if (tag && lastTag.get(part.id) === tag) event.detail.shouldSwap = false;
  lastTag.set(part.id, tag);
});

// Said once when the server cannot be reached, taken back when it can.
const reachable = (is) => document.body.classList.toggle("is-offline", !is);
document.addEventListener("htmx:sendError", () => reachable(false));
document.addEventListener("htmx:timeout", () => reachable(false));
document.addEventListener("htmx:afterOnLoad", () => reachable(true));

const units = [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];

function words(moment) {
  const seconds = Math.round((Date.now() - moment) / 1000);
  const [length, name] = units.find(([size]) => Math.abs(seconds) >= size) || [1, "second"];
  const count = Math.floor(Math.abs(seconds) / length);
  if (count < 2 && name === "second") return "just now";
  const span = `${count} ${name}${count === 1 ? "" : "s"}`;
  return seconds < 0 ? `in ${span}` : `${span} ago`;
}

function span(seconds) {
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (hours) return `${hours} h ${minutes % 60} min`;
  return minutes ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}

function tellTimes() {
  if (document.hidden) return;
  document.querySelectorAll("time[data-relative]").forEach((time) => {
    time.textContent = words(new Date(time.dateTime));
  });
  document.querySelectorAll("time[data-elapsed]").forEach((time) => {
    time.textContent = span(Math.max(0, Math.floor((Date.now() - new Date(time.dateTime)) / 1000)));
  });
}

document.addEventListener("DOMContentLoaded", tellTimes);
document.addEventListener("htmx:afterSwap", tellTimes);
setInterval(tellTimes, 1000);
