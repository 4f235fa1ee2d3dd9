// Stores what a picture really shows without leaving the page. Without this file the form does.
(() => {
  async function store(form, button) {
    const body = new FormData(form);
    body.set("true_text", button.value);
    const response = await fetch(form.action, {
      method: "POST",
      body,
      headers: { Accept: "application/json" },
    });
    const answer = await response.json().catch(() => null);
    if (answer?.said !== undefined) show(form, answer);
    if (response.ok && answer) return answer.said;
    if (response.ok) throw new Error("You are signed out. Please sign in again."); // a page came instead
    if (response.status === 404) throw new Error("This answer is not there any more.");
    throw new Error(answer?.message || "Something went wrong on the site. Please try again.");
  }

  // What the site knows by now, also where another window or somebody else was quicker.
  function show(form, { said, seen }) {
    form.elements.seen.value = seen;
    for (const button of form.querySelectorAll("button[name=true_text]")) {
      button.setAttribute("aria-pressed", String((button.value || "none") === seen));
    }
    form.closest("details").querySelector("[data-said]").textContent = said || "Was it right?";
  }

  function watch(form) {
    let queue = Promise.resolve(); // a second tap waits for the first, and has the last word
    form.addEventListener("submit", (event) => {
      const button = event.submitter;
      if (button?.name !== "true_text") return;
      event.preventDefault();
      const error = form.querySelector("[data-correct-error]");
      const status = form.querySelector("[data-correct-status]");
      queue = queue.then(async () => {
        try {
          status.textContent = `Stored. ${await store(form, button)}`;
          error.textContent = "";
        } catch (problem) {
          error.textContent =
            problem instanceof TypeError
              ? "The site did not answer. Check the connection, and try again."
              : problem.message;
        }
      });
    });
  }

  document.querySelectorAll("form[data-correct]").forEach(watch);
})();
