import { basename } from "node:path";
import type { Classifier } from "../../model/classifier/classifier";
import type { PicturePrediction } from "../../model/pictures/predict-tiles";
import { notMedicalDevice } from "../display/findings";
import { escapeHtml } from "../display/html";
import { pictureHtml } from "../pictures/tile-displays";
import { plainPage } from "./plain-page";
import { originHtml } from "./prediction-page";

/** One page about a large picture: the map of its tiles' answers, what they say together, and the tiles that decided. */
export async function picturePageHtml(
  prediction: PicturePrediction,
  classifier: Pick<
    Classifier,
    "classes" | "positiveClass" | "threshold" | "triage" | "familiarity" | "provenance"
  >,
): Promise<string> {
  const header = `<h1>${escapeHtml(basename(prediction.path))}</h1>
<p class="notice">${escapeHtml(notMedicalDevice)}</p>
${originHtml(classifier)}`;
  const main = await pictureHtml(prediction, classifier);
  return plainPage({ title: basename(prediction.path), header, main });
}
