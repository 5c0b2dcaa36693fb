import type { ViewerAbout } from "../src/export/about-export";
import { byId, fill, make, percent } from "./page";
import { isTriage, type PatientRow } from "./work";

function headRow(about: ViewerAbout): HTMLElement {
  const { classes, positiveClass } = about;
  const probability =
    positiveClass === null ? "mean probability" : `mean probability of ${classes[positiveClass]}`;
  const names = ["patient", "images", probability, "answer", ...(isTriage(about) ? ["second look"] : [])];
  const cells = names.map((text) => {
    const cell = make("th", { text });
    cell.scope = "col";
    return cell;
  });
  return make("thead", { children: [make("tr", { children: cells })] });
}

/** Shows what patients' images say together; nothing where no patient is known. */
export function showPatients(rows: readonly PatientRow[], about: ViewerAbout): void {
  byId("patients").hidden = rows.length === 0;
  const body = rows.map(({ patient, images, probability, predicted, needsLook }) => {
    const look = needsLook === null ? [] : [needsLook ? "yes" : "no"];
    const texts = [patient, String(images), percent(probability), about.classes[predicted]!, ...look];
    return make("tr", { children: texts.map((text) => make("td", { text })) });
  });
  const table = make("table", { children: [headRow(about), make("tbody", { children: body })] });
  table.setAttribute("aria-labelledby", "patients-title");
  fill(byId("patients-table"), [table]);
}
