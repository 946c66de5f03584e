// Sends the upload form in the background and shows how far it is. Without this script the form
// works as any other.
"use strict";

const megabyte = 1000 * 1000;

function size(bytes) {
  if (bytes < 1000) return `${bytes} bytes`;
  if (bytes < megabyte) return `${Math.round(bytes / 1000)} kB`;
  return `${(bytes / megabyte).toFixed(1)} MB`;
}

class Upload {
  constructor(form) {
    this.form = form;
    this.file = form.querySelector("input[name=artifact]");
    this.limit = Number(form.dataset.limit);
    this.part = (name) => form.querySelector(`[data-upload-${name}]`);
    this.bar = form.querySelector("progress");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!this.request) this.send();
    });
    this.file.addEventListener("change", () => this.checkSize());
    this.part("stop").addEventListener("click", () => this.request?.abort());
  }

  checkSize() {
    const chosen = this.file.files[0];
    this.showErrors({});
    if (!chosen || chosen.size <= this.limit) return true;
    const message = `${chosen.name} has ${size(chosen.size)}; at most ${size(this.limit)} can be uploaded.`;
    this.showErrors({ artifact: [message] });
    return false;
  }

  send() {
    if (!this.checkSize()) return;
    const request = new XMLHttpRequest();
    request.upload.addEventListener("progress", (event) => this.showProgress(event));
    request.upload.addEventListener("load", () => this.showChecking());
    request.addEventListener("load", () => this.finish(request));
    request.addEventListener("error", () => this.fail("The connection broke. Nothing was uploaded: send it again."));
    request.addEventListener("abort", () => this.fail("Stopped. Nothing was uploaded."));
    request.open("POST", this.form.action || location.href);
    request.setRequestHeader("Accept", "application/json");
    this.request = request;
    this.showSending(true);
    request.send(new FormData(this.form));
  }

  showSending(is) {
    this.part("progress").hidden = !is;
    this.part("stop").hidden = !is;
    this.part("leave").hidden = is;
    this.part("send").disabled = is;
    this.bar.value = 0;
    this.part("percent").textContent = "";
    this.part("words").textContent = is ? "Sending" : "";
  }

  showProgress(event) {
    if (!event.lengthComputable) return;
    this.bar.value = event.loaded / event.total;
    this.part("words").textContent = `Sending: ${size(event.loaded)} of ${size(event.total)}`;
    this.part("percent").textContent = `${Math.floor((100 * event.loaded) / event.total)} %`;
  }

  // All of it is there; how long the checks take nobody knows.
  showChecking() {
    this.bar.removeAttribute("value");
    this.part("stop").hidden = true;
    this.part("words").textContent = "Sent. Now it is checked, unpacked and stored.";
    this.part("percent").textContent = "";
  }

  finish(request) {
    const answer = this.read(request);
    if (request.status === 201 && answer) {
      location.assign(answer.address);
    } else if (answer?.errors) {
      this.stop();
      this.showErrors(answer.errors);
    } else {
      this.fail(this.words(request));
    }
  }

  read(request) {
    try {
      return JSON.parse(request.responseText);
    } catch {
      return null;
    }
  }

  words(request) {
    if (request.responseURL.includes("/sign-in/")) return "Your session has ended: reload the page and sign in.";
    if (request.status === 403) return "You may not upload here, or the page is too old: reload it.";
    if (request.status === 400 || request.status === 413) return "It is too large, or did not arrive whole.";
    return `The server answered with ${request.status}. Nothing was uploaded: try again in a moment.`;
  }

  fail(message) {
    this.stop();
    this.showErrors({ artifact: [message] });
  }

  stop() {
    this.request = null;
    this.showSending(false);
  }

  showErrors(errors) {
    this.form.querySelectorAll(".wrong, .message-error").forEach((old) => old.remove());
    this.form.querySelectorAll("input[type=file]").forEach((input) => {
      const reasons = errors[input.name] || [];
      const field = input.closest(".field");
      field.classList.toggle("field-wrong", reasons.length > 0);
      input.toggleAttribute("aria-invalid", reasons.length > 0);
      reasons.forEach((reason) => field.append(this.paragraph(reason)));
      if (reasons.length) input.focus();
    });
  }

  paragraph(text) {
    const paragraph = document.createElement("p");
    paragraph.className = "wrong";
    paragraph.setAttribute("role", "alert");
    paragraph.textContent = text;
    return paragraph;
  }
}

document.querySelectorAll("form[data-upload]").forEach((form) => new Upload(form));
