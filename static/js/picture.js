// Drop, paste and preview for the picture form. Without this file the form still works.
(() => {
  const form = document.querySelector("[data-picture-form]");
  if (!form) return;

  const input = form.querySelector("[data-picture]");
  const drop = form.querySelector("[data-drop]");
  const preview = form.querySelector("[data-preview]");
  const mark = form.querySelector("[data-drop-mark]");
  const chosen = form.querySelector("[data-chosen]");
  const error = form.querySelector("[data-error]");
  const button = form.querySelector("[data-busy]");
  const label = button.textContent;

  const size = (bytes) =>
    bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;

  function show() {
    const file = input.files[0];
    const total = [...input.files].reduce((sum, one) => sum + one.size, 0);
    const name = input.files.length > 1 ? `${input.files.length} pictures` : file && file.name;
    if (preview.src) URL.revokeObjectURL(preview.src);
    preview.removeAttribute("src");
    preview.hidden = true;
    mark.removeAttribute("hidden");
    chosen.textContent = file ? `${name}, ${size(total)}` : "";
    if (!file) return;

    error.textContent = "";
    input.removeAttribute("aria-invalid");
    drop.classList.remove("drop-wrong");
    if (input.files.length > 1) return;
    preview.src = URL.createObjectURL(file);
  }

  function take(files) {
    if (!files.length || input.disabled) return;
    const taken = new DataTransfer();
    for (const file of input.multiple ? files : [files[0]]) taken.items.add(file);
    input.files = taken.files;
    show();
    button.focus();
  }

  // Some formats (TIFF) can be read here and not be shown by the browser.
  preview.addEventListener("load", () => {
    preview.hidden = false;
    mark.setAttribute("hidden", "");
  });
  input.addEventListener("change", show);

  // Anywhere on the page: a file that misses the frame would replace the page otherwise.
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("drop-over");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) drop.classList.remove("drop-over");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("drop-over");
    take(event.dataTransfer.files);
  });
  document.addEventListener("paste", (event) => take(event.clipboardData.files));

  form.addEventListener("submit", (event) => {
    if (button.getAttribute("aria-disabled")) {
      event.preventDefault();
      return;
    }
    button.setAttribute("aria-disabled", "true");
    button.textContent = button.dataset.busy;
  });
  // Back from the result, the browser may show this page as it was left.
  window.addEventListener("pageshow", () => {
    button.removeAttribute("aria-disabled");
    button.textContent = label;
    show();
  });

  form.querySelectorAll("[data-with-script]").forEach((hint) => (hint.hidden = false));
})();
