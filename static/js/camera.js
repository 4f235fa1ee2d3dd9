// Films what lies in the frame, and hands it to [data-live] about three times a second: the next
// picture after the answer to the last one, so that there is never more than one on its way.
(() => {
  const area = document.querySelector("[data-camera]");
  if (!area) return;

  const PAUSE = 333; // ms from one picture to the next
  const BREAK = 3000; // ms, after a picture that got no answer
  const FRAME = 0.7; // of the square that is shown; the page draws the same
  const SIDE = 400; // px of the picture that is sent
  const PROBLEMS = {
    NotAllowedError:
      "The browser may not use the camera. Allow it for this site, in the address bar or in the browser's settings, and start again.",
    NotFoundError: "No camera was found on this device.",
    NotReadableError: "The camera is in use. Close the other program that uses it, and start again.",
  };
  const INSECURE =
    "Browsers let a site use the camera only at a secure address, which starts with https. This address is not secure.";
  const OTHERWISE = "The camera could not be started.";

  const find = (name) => area.querySelector(`[data-${name}]`);
  const live = document.querySelector("[data-live]");
  const video = find("video");
  const still = find("still");
  const crop = Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE });

  let stream = null;
  let isStarting = false;
  let isBusy = false; // a picture is on its way
  let takenAt = 0;
  let timer = 0;

  const isReady = () => video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && video.videoWidth > 0;

  function drawSquare(canvas, share) {
    const side = Math.min(video.videoWidth, video.videoHeight) * share;
    const x = (video.videoWidth - side) / 2;
    const y = (video.videoHeight - side) / 2;
    canvas.getContext("2d").drawImage(video, x, y, side, side, 0, 0, canvas.width, canvas.height);
  }

  function say(blob, keepable) {
    isBusy = blob !== null;
    live.dispatchEvent(new CustomEvent("picture", { detail: { blob, keepable } }));
  }

  function take() {
    clearTimeout(timer);
    timer = setTimeout(take, PAUSE);
    if (!stream || isBusy || document.hidden || !isReady()) return;
    if (performance.now() - takenAt < PAUSE - 5) return;
    takenAt = performance.now();
    isBusy = true;
    const mine = stream;
    drawSquare(crop, FRAME);
    crop.toBlob((blob) => {
      if (stream === mine) say(blob, false); // else it was frozen or left meanwhile
    }, "image/jpeg", 0.9);
  }

  function show() {
    const isFrozen = !stream && !still.hidden;
    find("start").hidden = stream !== null;
    find("start").textContent = isFrozen ? "Film again" : "Start the camera";
    find("start").setAttribute("aria-disabled", String(isStarting));
    find("freeze").hidden = stream === null;
  }

  function complain(message) {
    find("camera-error").textContent = message;
    find("camera-instead").hidden = !message;
  }

  function stop() {
    clearTimeout(timer);
    stream?.getTracks().forEach((track) => track.stop());
    stream = null;
    isBusy = false;
    video.srcObject = null;
    show();
  }

  async function start() {
    if (stream || isStarting) return;
    complain("");
    if (!window.isSecureContext || !navigator.mediaDevices?.getUserMedia) {
      complain(window.isSecureContext ? OTHERWISE : INSECURE);
      return;
    }
    isStarting = true;
    show();
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        audio: false,
        video: { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } },
      });
      stream.getVideoTracks()[0].addEventListener("ended", () => {
        stop();
        complain("The camera was switched off or taken away.");
      });
      video.srcObject = stream;
      await video.play();
      still.hidden = true;
      say(null, false);
      take();
    } catch (error) {
      stop();
      complain(PROBLEMS[error.name] ?? OTHERWISE);
    } finally {
      isStarting = false;
      show();
      if (stream) find("freeze").focus();
    }
  }

  function freeze() {
    if (!stream || !isReady()) return;
    still.width = still.height = Math.min(1280, video.videoWidth, video.videoHeight);
    drawSquare(still, 1);
    drawSquare(crop, FRAME);
    still.hidden = false;
    stop();
    find("start").focus();
    crop.toBlob((blob) => say(blob, true), "image/jpeg", 0.92);
  }

  live.addEventListener("answered", ({ detail }) => {
    isBusy = false;
    if (!detail) takenAt = performance.now() + BREAK;
  });
  find("start").addEventListener("click", start);
  find("freeze").addEventListener("click", freeze);
  window.addEventListener("pagehide", stop);

  area.hidden = false;
  document.querySelector("[data-without-script]").hidden = true;
  show();
})();
