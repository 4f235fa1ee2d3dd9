// The keys 0 to 9 press the button of that digit. They can be switched off, since a person who
// speaks to the computer or rests a hand on the keyboard would answer by accident.
(() => {
  const NAME = "digit-keys";
  const switches = [...document.querySelectorAll("[data-keys-switch] input")];

  function remembered() {
    try {
      return localStorage.getItem(NAME) !== "off";
    } catch {
      return true; // the browser keeps nothing for this site
    }
  }

  function remember(on) {
    try {
      localStorage.setItem(NAME, on ? "on" : "off");
    } catch {
      // then it counts for this page only
    }
  }

  let on = remembered();
  for (const box of switches) {
    box.checked = on;
    box.closest("[data-keys-switch]").hidden = false;
    box.addEventListener("change", () => {
      on = box.checked;
      remember(on);
    });
  }

  // In a list, the keys belong to the entry that the focus is in; alone on a page, to the page.
  function keysFor(target) {
    const near = target.closest("[data-digit-keys-area]")?.querySelector("[data-digit-keys]");
    if (switches.length && !on) return null;
    if (near) return near;
    const all = document.querySelectorAll("[data-digit-keys]");
    return all.length === 1 && switches.length ? all[0] : null;
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    if (!/^[0-9]$/.test(event.key)) return;
    const target = event.target instanceof Element ? event.target : document.body;
    if (target.matches("input:not([type=checkbox], [type=range]), textarea, select, [contenteditable]")) return;
    const button = keysFor(target)?.querySelector(`button[value="${event.key}"]`);
    if (!button || button.matches(":disabled")) return;
    event.preventDefault();
    button.click();
  });
})();
