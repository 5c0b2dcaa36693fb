import type { ViewerAbout } from "../src/export/about-export";
import { pushAll } from "../src/runtime/many";
import { type ChosenFiles, filesDropped, filesOf } from "./chosen-files";
import { ExplanationPanel } from "./explanation-panel";
import { ListPanel } from "./list-panel";
import type { Answer, Request } from "./messages";
import { byId, countOf, fill, make, percent } from "./page";
import { showPatients } from "./patients-panel";
import {
  encodeWork,
  groupPatients,
  groupWork,
  isTriage,
  newImage,
  type PatientFrom,
  patientOf,
  startingThreshold,
  type WorkGroup,
  type WorkImage,
} from "./work";

/** Not oftener than this the list is drawn anew while images come in. */
const redrawMs = 400;
/** So often a screen reader hears how far it is. */
const spokenShare = 0.1;

let worker: Worker;
/** The image whose explanation is being computed. */
let explaining: number | null = null;
/** Whether the worker has said that it can answer, and whether an earlier one had. */
let isReady = false;
let isSetUp = false;
function ask(request: Request): void {
  if (request.kind === "explain") explaining = request.id;
  worker.postMessage(request);
}

let about: ViewerAbout;
let list: ListPanel;
let explanations: ExplanationPanel;
let images: WorkImage[] = [];
let waiting: WorkImage[] = [];
let looking: WorkImage | null = null;
let batch = { total: 0, done: 0, spoken: 0 };
let groups: WorkGroup[] = [];
let threshold = 0.5;
let patientFrom: PatientFrom = "name";
let nextId = 1;
let redraw: ReturnType<typeof setTimeout> | null = null;

const say = (text: string) => {
  byId("status").textContent = text;
};
const complain = (text: string) => {
  byId("problem").textContent = text;
};

function describe({ classes, provenance, backbone, familiarity }: ViewerAbout, backend: string): string {
  const trained = provenance.synthetic
    ? `trained on synthetic images (${provenance.dataset}): its answers say nothing about tissue`
    : `trained on ${provenance.dataset}`;
  const computing = backend === "webgl" ? "WebGL" : "WebAssembly";
  const unlikeText =
    familiarity === null
      ? ": it does not remember its training images, so it can't say which ones are unlike them."
      : "; those unlike its training images are marked, and none of them is spared a second look.";
  return `The classifier tells ${classes.join(" and ")} apart (${backbone.name}, ${trained}). It is computed here, by ${computing}. It answers for every image, also for one that shows no tissue${unlikeText}`;
}

function countsText(): string {
  return groups.map(({ name, rows }) => `${rows.length} ${name}`).join(", ");
}

function drawList(): void {
  if (redraw !== null) clearTimeout(redraw);
  redraw = null;
  groups = groupWork(images, about, threshold);
  showPatients(groupPatients(groups, about), about);
  byId("work").hidden = images.every(
    ({ probabilities, problem }) => probabilities === null && problem === null,
  );
  list.show(groups);
  const unread = images.filter(({ problem }) => problem !== null);
  byId("unread").hidden = unread.length === 0;
  byId("unread-title").textContent = `not read (${unread.length})`;
  fill(
    byId("unread-list"),
    unread.map(({ path, problem }) => make("li", { text: `${path}: ${problem}.` })),
  );
}

function drawSoon(): void {
  redraw ??= setTimeout(drawList, redrawMs);
}

function showProgress(): void {
  const progress = byId<HTMLProgressElement>("progress");
  const isBusy = looking !== null || waiting.length > 0;
  byId("progress-area").hidden = !isBusy;
  byId("stop").hidden = !isBusy;
  byId("progress-label").textContent = `Image ${Math.min(batch.done + 1, batch.total)} of ${batch.total}`;
  progress.max = batch.total;
  progress.value = batch.done;
  if (isBusy && batch.done - batch.spoken >= spokenShare * batch.total && batch.total >= 10) {
    batch.spoken = batch.done;
    say(`${batch.done} of ${countOf(batch.total, "image")} looked at.`);
  }
}

/** One image at a time: the next one is decoded when this one is done. */
function goOn(): void {
  looking = waiting.shift() ?? null;
  showProgress();
  if (looking !== null) ask({ kind: "predict", id: looking.id, file: looking.file });
  else finish();
}

function finish(): void {
  drawList();
  const unread = images.filter(({ problem }) => problem !== null).length;
  const read = images.filter(({ probabilities }) => probabilities !== null).length;
  if (read === 0 && unread > 0) {
    say("");
    complain(`None of ${countOf(unread, "file")} is an image that could be read. PNG, JPEG and WebP are.`);
    return;
  }
  const notRead = unread === 0 ? "" : ` ${countOf(unread, "file")} could not be read; see below the list.`;
  say(`${countOf(read, "image")} looked at: ${countsText()}.${notRead}`);
}

function addFiles({ images: chosen, others }: ChosenFiles): void {
  complain("");
  const known = new Set(images.map(({ path, file }) => `${path}:${file.size}:${file.lastModified}`));
  const fresh = chosen
    .filter(({ path, file }) => !known.has(`${path}:${file.size}:${file.lastModified}`))
    .map(({ path, file }) => newImage(nextId++, file, path, patientFrom));
  if (fresh.length === 0) {
    const found = others > 0 ? `${countOf(others, "file")}, none of which is called an image` : "nothing";
    complain(
      chosen.length > 0
        ? "These images are in the list already."
        : `There is no image among what you chose: ${found}. PNG, JPEG and WebP are read.`,
    );
    return;
  }
  pushAll(images, fresh);
  pushAll(waiting, fresh);
  if (looking === null) batch = { total: 0, done: 0, spoken: 0 };
  batch.total += fresh.length;
  const ignored = others === 0 ? "" : ` ${countOf(others, "other file")} left out.`;
  say(`Looking at ${countOf(fresh.length, "image")}.${ignored}`);
  if (looking === null && isReady) goOn();
}

function stop(): void {
  const left = new Set(waiting);
  images = images.filter((image) => !left.has(image));
  waiting = [];
  showProgress();
  say(`Stopped; ${countOf(left.size, "image")} left out.`);
  byId("choose-files").focus();
}

function clear(): void {
  waiting = [];
  for (const { thumbnail } of images) if (thumbnail !== null) URL.revokeObjectURL(thumbnail);
  images = [];
  list.forget();
  drawList();
  showProgress();
  complain("");
  say("The list is empty.");
  byId("choose-files").focus();
}

/** A threshold as people read it; decisions go by all of its digits. */
const shortThreshold = (value: number): string => String(Number(value.toFixed(4)));

function setThreshold(value: number): void {
  threshold = value;
  byId<HTMLInputElement>("threshold").value = String(value);
  byId<HTMLInputElement>("threshold").setAttribute("aria-valuetext", percent(value));
  byId<HTMLInputElement>("threshold-number").value = shortThreshold(value);
  if (images.length === 0) return;
  drawList();
  say(`Threshold ${shortThreshold(value)}: ${countsText()}.`);
}

function setUpThreshold(): void {
  byId("threshold-area").hidden = !isTriage(about);
  if (!isTriage(about)) return;
  const start = startingThreshold(about);
  const { triage, classes, positiveClass } = about;
  byId("threshold-legend").textContent =
    `A second look from this probability of ${classes[positiveClass!]} on`;
  byId("threshold-reset").textContent = `Back to ${shortThreshold(start)}`;
  const locked =
    triage?.level === "image"
      ? `The locked threshold. ${triage.description}`
      : "The classifier's own threshold.";
  byId("threshold-origin").textContent =
    triage?.level === "patient"
      ? `${locked} Its locked threshold, ${shortThreshold(triage.threshold)}, is one for the mean of a patient's images and is not used here.`
      : locked;
  const slider = byId<HTMLInputElement>("threshold");
  const number = byId<HTMLInputElement>("threshold-number");
  slider.addEventListener("input", () => setThreshold(Number(slider.value)));
  number.addEventListener("change", () => {
    const value = Number(number.value);
    if (number.value !== "" && value >= 0 && value <= 1) setThreshold(value);
    else {
      number.value = shortThreshold(threshold);
      complain("A threshold is a number from 0 to 1; the last one is kept.");
    }
  });
  byId("threshold-reset").addEventListener("click", () => setThreshold(start));
  setThreshold(start);
}

function download(): void {
  const url = URL.createObjectURL(new Blob([encodeWork(groups, about, threshold)], { type: "text/csv" }));
  const link = make("a");
  link.href = url;
  link.download = "work-list.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function neighbourOf(image: WorkImage, step: -1 | 1): WorkImage | null {
  const rows = groups.flatMap((group) => group.rows);
  const at = rows.findIndex((row) => row.image === image);
  return rows[at + step]?.image ?? null;
}

function setUpPatients(): void {
  const source = byId<HTMLSelectElement>("patient-from");
  source.addEventListener("change", () => {
    patientFrom = source.value as PatientFrom;
    for (const image of images) image.patient = patientOf(image.path, patientFrom);
    drawList();
    const known = new Set(images.map(({ patient }) => patient).filter((patient) => patient !== null));
    say(`${countOf(known.size, "patient")} told by ${patientFrom}.`);
  });
}

/** On paper, lists are whole. */
function setUpPrinting(): void {
  addEventListener("beforeprint", () => list.showAll());
  addEventListener("afterprint", () => list.restore());
}

function setUpChoosing(): void {
  for (const kind of ["files", "folder"] as const) {
    const input = byId<HTMLInputElement>(kind);
    const button = byId<HTMLButtonElement>(`choose-${kind}`);
    button.disabled = false;
    button.addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      if (input.files !== null) addFiles(filesOf(input.files));
      input.value = "";
    });
  }
  const place = byId("drop");
  // All of the page takes what is dropped: beside the box, the browser would open the file instead.
  addEventListener("dragover", (event) => {
    event.preventDefault();
    place.classList.add("over");
  });
  addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) place.classList.remove("over");
  });
  addEventListener("drop", (event) => {
    event.preventDefault();
    place.classList.remove("over");
    if (event.dataTransfer === null) return;
    filesDropped(event.dataTransfer).then(addFiles, () =>
      complain("What was dropped can't be read. Choose the files instead."),
    );
  });
}

function getReady(answer: Extract<Answer, { kind: "ready" }>): void {
  isReady = true;
  // The page was set up by the worker before this one: there is only work to go on with.
  if (isSetUp) goOn();
  else setUp(answer);
  isSetUp = true;
}

function setUp({
  about: found,
  backend,
  difference,
  changesPixels,
}: Extract<Answer, { kind: "ready" }>): void {
  about = found;
  byId("about").textContent = describe(about, backend);
  document.documentElement.dataset["backend"] = backend;
  list = new ListPanel(about, (image) => explanations.open(image));
  explanations = new ExplanationPanel(
    about,
    ({ id, file }, classIndex) => ask({ kind: "explain", id, file, classIndex }),
    neighbourOf,
  );
  setUpThreshold();
  setUpChoosing();
  setUpPatients();
  setUpPrinting();
  byId("stop").addEventListener("click", stop);
  byId("clear").addEventListener("click", clear);
  byId("download").addEventListener("click", download);
  byId("progress-area").hidden = true;
  say(
    `Ready. On ${countOf(about.checkImages.count, "check image")} it answers here as it did where it was made, within ${difference.toExponential(0)}.`,
  );
  if (changesPixels) {
    complain(
      "This browser changes the pixels that pages read, to protect you from being recognised: every probability is slightly off here. Allow this page to read canvas data, or use another browser.",
    );
  }
}

function take(message: Extract<Answer, { kind: "predicted" | "unreadable" }>): void {
  if (looking?.id !== message.id) {
    // Not the one being looked at, so it is one to be explained.
    if (message.kind === "unreadable") explanations.fail(message.id, message.reason);
    return;
  }
  // What was cleared meanwhile is not kept.
  if (images.includes(looking)) {
    if (message.kind === "predicted") {
      looking.probabilities = message.probabilities;
      looking.distance = message.distance;
      looking.unlike = message.unlike;
      looking.thumbnail = URL.createObjectURL(message.thumbnail);
    } else looking.problem = message.reason;
  }
  batch.done++;
  drawSoon();
  goOn();
}

function listen(data: Answer): void {
  if (data.kind === "loading") byId<HTMLProgressElement>("progress").value = data.share;
  else if (data.kind === "ready") getReady(data);
  else if (data.kind === "explained") {
    explaining = null;
    explanations.show(data.id, data.explanation);
  } else if (data.kind === "failed") fail(`The classifier can't be used here: ${data.reason}`);
  else take(data);
}

function fail(text: string): void {
  byId("progress-area").hidden = true;
  complain(text);
}

const unreachable =
  "The part of this page that computes could not be started. Open the page from a server, not as a file: npm run viewer serves it.";

/** The worker has ended: what it was at is given up, with the reason, and another one goes on with the rest. */
function replaceWorker(reason: string): void {
  worker.terminate();
  isReady = false;
  const problem = `computing failed in this browser (${reason})`;
  if (explaining !== null) explanations.fail(explaining, problem);
  explaining = null;
  if (looking !== null) {
    if (images.includes(looking)) looking.problem = problem;
    looking = null;
    batch.done++;
  }
  complain(`The part of this page that computes has failed (${reason}) and is started again.`);
  drawSoon();
  start();
}

function start(): void {
  try {
    worker = new Worker("worker.js");
  } catch {
    fail(unreachable);
    return;
  }
  worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => listen(data));
  // Without having been ready it would fail again, and again.
  worker.addEventListener("error", ({ message }) =>
    isReady ? replaceWorker(message || "it has ended") : fail(unreachable),
  );
  ask({ kind: "start", backend: new URLSearchParams(location.search).get("backend") });
}

start();
