// Several pictures are sent one after the other, so that progress shows and the table grows.
// Without this file the form sends them all at once.
(() => {
  const form = document.querySelector("[data-picture-form]");
  const board = document.querySelector("[data-several]");
  if (!form || !board) return;

  const input = form.querySelector("[data-picture]");
  const button = form.querySelector("[data-busy]");
  const error = form.querySelector("[data-error]");
  const bar = board.querySelector("progress");
  const status = board.querySelector("[data-status]");
  const rows = board.querySelector("[data-rows]");
  const stop = board.querySelector("[data-stop]");
  const seen = board.querySelector("[data-seen]");
  const label = button.textContent;
  const most = Number(board.dataset.mostFiles);
  const mostBytes = Number(board.dataset.mostBytes);
  let stopped = false;
  let unfinished = null; // what is being sent, or was interrupted: { files, done, table }

  function free() {
    button.removeAttribute("aria-disabled");
    button.textContent = label;
    input.disabled = false;
    stop.hidden = true;
  }

  function complain(text) {
    free();
    error.textContent = text;
  }

  function refusal(files) {
    const total = files.reduce((sum, file) => sum + file.size, 0);
    if (files.length > most)
      return `At most ${most} pictures can be sent at once; these are ${files.length}. Please choose fewer.`;
    if (total > mostBytes)
      return `The files have ${Math.ceil(total / 1e6)} MB together; at most ${mostBytes / 1e6} MB can be sent at once. Please choose fewer.`;
    return "";
  }

  async function send(file, table) {
    const body = new FormData();
    body.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    body.append("table", table);
    body.append("picture", file);
    const response = await fetch(board.dataset.address, {
      method: "POST",
      body,
      headers: { Accept: "application/json" },
    });
    const isJson = (response.headers.get("Content-Type") || "").startsWith("application/json");
    if (!isJson) throw new Error("The site did not answer as it should. Please reload the page.");
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.message);
    return answer;
  }

  function show(html) {
    const holder = document.createElement("template");
    holder.innerHTML = `<table><tbody>${html}</tbody></table>`;
    rows.append(...holder.content.querySelectorAll("tr"));
  }

  async function sendAll(work) {
    const { files } = work;
    for (; work.done < files.length && !stopped; work.done += 1) {
      status.textContent = `Reading ${work.done + 1} of ${files.length}`;
      const answer = await send(files[work.done], work.table);
      work.table = answer.table;
      seen.href = answer.address;
      bar.value = work.done + 1;
      show(answer.rows);
    }
    unfinished = null;
    if (seen.hasAttribute("href")) window.location.assign(seen.href);
  }

  // The same files again are the rest of what was interrupted: what is read is not sent twice.
  function workFor(files) {
    const isSame =
      files.length === unfinished?.files.length && files.every((file, n) => file === unfinished.files[n]);
    if (isSame) return unfinished;
    rows.replaceChildren();
    seen.removeAttribute("href");
    bar.value = 0;
    return { files, done: 0, table: "" };
  }

  async function start(files) {
    stopped = false;
    const work = (unfinished = workFor(files));
    seen.hidden = true;
    error.textContent = "";
    bar.max = files.length;
    board.hidden = stop.hidden = false;
    input.disabled = true;
    board.scrollIntoView({ block: "nearest" });
    try {
      await sendAll(work);
    } catch (reason) {
      const isLost = reason instanceof TypeError;
      status.textContent = `${work.done} of ${files.length} read; what was read is kept.`;
      seen.hidden = !seen.hasAttribute("href");
      complain(isLost ? `The connection was lost. Press “${label}” to go on with the others.` : reason.message);
    }
  }

  form.addEventListener("submit", (event) => {
    const files = [...input.files];
    if (event.defaultPrevented || files.length < 2) return;
    event.preventDefault();
    const problem = refusal(files);
    if (problem) complain(problem);
    else start(files);
  });
  stop.addEventListener("click", () => {
    stopped = true;
    stop.hidden = true;
  });
  window.addEventListener("pageshow", () => {
    unfinished = null;
    free();
    board.hidden = true;
  });
})();
