// Asks the site what a picture shows, shows the answer, and keeps it when told to.
//
// Another script says "here is a picture" with the event "picture" on [data-live]; its detail is
// { blob, keepable, hint }, where a blob of null means that there is nothing to read and the hint
// says what to do about it. When there is an answer, or none is to be had, this script says
// "answered"; and "kept", with the blob as its detail, when a picture has become a record.
(() => {
  const panel = document.querySelector("[data-live]");
  if (!panel) return;

  const find = (name) => panel.querySelector(`[data-${name}]`);
  const token = panel.querySelector("[name=csrfmiddlewaretoken]").value;
  const tools = find("keep-tools");
  const keys = [...panel.querySelectorAll("[data-digit-keys] button")];
  const bars = [...panel.querySelectorAll("[data-bar]")];

  const SLOW = 400; // ms without an answer, after which the page says that it waits
  const GONE = "gone"; // why a record could not be corrected: it was deleted in another window
  const first = find("facts").textContent; // what the page says before there is a picture

  let picture = null; // what is shown and would be kept
  let request = null; // the one on its way; a newer one overtakes it
  let slow = 0; // the timer that runs while an answer is awaited
  const kept = new WeakMap(); // of each picture that is kept: { url, correct_url, said, seen }
  let queue = Promise.resolve(); // what is kept and corrected, one after another

  function percent(share) {
    const text = (100 * share).toFixed(2);
    return share < 1 && Number(text) >= 100 ? "99.99%" : `${text}%`;
  }

  async function send(url, fields, signal) {
    const body = new FormData();
    for (const [name, value] of Object.entries(fields)) {
      if (value instanceof Blob) body.append(name, value, "picture");
      else body.append(name, value);
    }
    let response;
    try {
      response = await fetch(url, {
        method: "POST",
        body,
        signal,
        headers: { Accept: "application/json", "X-CSRFToken": token },
      });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Error("The site did not answer. Check the connection, and try again.");
    }
    const answer = await response.json().catch(() => null);
    signal?.throwIfAborted();
    if (response.ok && answer) return answer;
    if (response.ok) throw new Error("You are signed out. Please sign in again."); // a page came instead
    if (response.status === 404) throw new Error("What was kept is not there any more. You can keep it again.", { cause: GONE });
    const message = answer?.message || "Something went wrong on the site. Please try again.";
    throw Object.assign(new Error(message), answer);
  }

  function showError(message) {
    find("error").textContent = message;
  }

  function showVerdict(verdict) {
    for (const mark of panel.querySelectorAll("[data-verdict]")) {
      mark.hidden = mark.dataset.verdict !== verdict;
    }
  }

  function showBars({ probabilities = [] }) {
    const best = Math.max(...probabilities);
    bars.forEach((bar, n) => {
      const share = probabilities[n];
      bar.classList.toggle("best", share === best);
      bar.querySelector("meter").value = share ?? 0;
      bar.querySelector("[data-share]").textContent = share === undefined ? "-" : percent(share);
    });
    const rest = 1 - probabilities.reduce((sum, share) => sum + share, 0);
    find("rest").textContent = probabilities.length && rest >= 0.0001 ? `No digit at all: ${percent(rest)}.` : "";
  }

  function facts({ model, duration_ms: time }) {
    return model && `Read in ${time.toFixed(1)} ms by the model ${model}.`;
  }

  function show(answer) {
    showError("");
    find("text").textContent = answer.text || "-";
    find("text").classList.toggle("digit-none", !answer.text);
    find("confidence").textContent = answer.text ? percent(answer.confidence) : "-";
    showVerdict(answer.verdict);
    find("what").textContent = answer.what || "";
    find("what-to-do").textContent = answer.what_to_do || "";
    showBars(answer);
    find("facts").textContent = answer.what ? "" : (facts(answer) ?? first);
    const said = answer.text ? `${answer.text}, ${percent(answer.confidence)}. ${answer.what}` : answer.what;
    find("status").textContent = said || "";
  }

  // The answer to an older picture must not pass for the answer to this one.
  function wait() {
    panel.setAttribute("aria-busy", "true");
    find("what").textContent = find("what-to-do").textContent = "";
    find("facts").textContent = "Reading…";
  }

  function stopWaiting() {
    clearTimeout(slow);
    panel.removeAttribute("aria-busy");
  }

  async function read(blob, hint) {
    request?.abort();
    clearTimeout(slow);
    const mine = (request = new AbortController());
    let answer = null;
    if (blob) slow = setTimeout(wait, SLOW);
    try {
      answer = blob ? await send(panel.dataset.readUrl, { picture: blob }, mine.signal) : { what: hint };
      if (mine !== request) return;
      stopWaiting();
      show(answer);
    } catch (error) {
      if (mine !== request || error.name === "AbortError") return;
      stopWaiting();
      show({});
      showError(error.message);
    }
    request = null;
    panel.dispatchEvent(new CustomEvent("answered", { detail: answer }));
  }

  function showKept() {
    const record = kept.get(picture);
    find("keep").hidden = find("not-kept").hidden = record !== undefined;
    find("kept").textContent = record ? `Kept. ${record.said}` : "";
    find("kept-link").hidden = !record;
    if (record) find("kept-link").querySelector("a").href = record.url;
    for (const key of keys) key.setAttribute("aria-pressed", String(record?.seen === (key.value || "none")));
  }

  // Without a label: only keep. With one: keep, if that is not done yet, and say what it is.
  async function store(blob, label) {
    const said = label === undefined ? {} : { true_text: label };
    const record = kept.get(blob);
    try {
      if (!record) {
        const fields = { picture: blob, source: panel.dataset.source, ...said };
        kept.set(blob, await send(panel.dataset.keepUrl, fields));
        panel.dispatchEvent(new CustomEvent("kept", { detail: blob }));
      } else if (label !== undefined) {
        Object.assign(record, await send(record.correct_url, { seen: record.seen, ...said }));
      }
      if (blob === picture) showError("");
    } catch (error) {
      if (error.cause === GONE) kept.delete(blob);
      const { said: other, seen } = error; // what somebody else or another window was quicker to say
      if (seen !== undefined) Object.assign(record, { said: other, seen });
      if (blob === picture) showError(error.message);
    }
    showKept();
  }

  function keep(label) {
    const blob = picture;
    if (blob) queue = queue.then(() => store(blob, label));
  }

  panel.addEventListener("picture", ({ detail: { blob, hint = "", keepable = true } }) => {
    if (blob !== picture) {
      picture = blob;
      showKept();
    }
    tools.disabled = !blob || !keepable || tools.hidden;
    read(blob, hint);
  });
  find("keep").addEventListener("click", () => keep());
  for (const key of keys) key.addEventListener("click", () => keep(key.value));
})();
