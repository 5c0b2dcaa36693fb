import type { Random } from "../../runtime/random";
import { arrangeTissue, type Subtype } from "./demo-architecture";
import { addEpithelium } from "./demo-epithelium";
import type { NoiseTiles } from "./demo-noise";
import { type Cytology, crowd, type Scene } from "./demo-scene";
import { emptySection } from "./demo-section";
import { drawLaboratory, type Laboratory, photograph } from "./demo-stain";
import { addCapillary, addLymphocytes, addStromalCells } from "./demo-stroma";
import { drawTissueLook, paintFat, paintGround, type TissueLook } from "./demo-tissue";

/** An invented patient: what is wrong, how badly, and how the section was made. */
export interface DemoPatient {
  number: number;
  tumourClass: "benign" | "malignant";
  subtype: Subtype;
  /** Mean atypia of the patient's images, 0..1; the two classes overlap. */
  atypia: number;
  laboratory: Laboratory;
  tissue: TissueLook;
  nuclearStain: number;
  nuclearScale: number;
  inflammation: number;
  random: Random;
}

/** BreaKHis has no slide number as high as these, so that the sets can't be mixed up. */
const FIRST_NUMBER = 90001;

const subtypes: Record<DemoPatient["tumourClass"], readonly Subtype[]> = {
  benign: ["A", "F", "PT", "TA"],
  malignant: ["DC", "LC", "MC", "PC"],
};

/** Patients, benign and malignant by turns, the subtypes of each class by turns. */
export function inventPatients(count: number, random: Random): DemoPatient[] {
  return Array.from({ length: count }, (_, i) => {
    const number = FIRST_NUMBER + i;
    const own = random.fork(`patient ${number}`);
    const tumourClass = i % 2 === 0 ? "benign" : "malignant";
    const turn = Math.floor(i / 2) % 4;
    const [low, high] = tumourClass === "benign" ? [0.02, 0.44] : [0.32, 0.95];
    return {
      number,
      tumourClass,
      subtype: subtypes[tumourClass][turn] as Subtype,
      atypia: low + (high - low) * own.next(),
      laboratory: drawLaboratory(own.fork("laboratory")),
      tissue: drawTissueLook(own.fork("ground")),
      nuclearStain: 0.62 + 0.34 * own.next(),
      nuclearScale: 0.88 + 0.26 * own.next(),
      inflammation: own.next() ** 2,
      random: own,
    };
  });
}

/** The image's name in BreaKHis' scheme; the first half of a patient's images is slide AB, the rest CD. */
export function demoImageName(patient: DemoPatient, image: number, imagesPerPatient: number): string {
  const letter = patient.tumourClass === "benign" ? "B" : "M";
  const slide = `${patient.number}${image < imagesPerPatient / 2 ? "AB" : "CD"}`;
  const sequence = String(image + 1).padStart(3, "0");
  return `SOB_${letter}_${patient.subtype}-26-${slide}-400-${sequence}.png`;
}

/**
 * Draws one image of a patient.
 *
 * It depends on the patient, the image's number and the noise tiles only, so images can be drawn in any order.
 *
 * @param image - Counted from 0.
 * @param size - Pixels.
 * @returns RGB, shape [height, width, 3].
 */
export function drawDemoImage(
  patient: DemoPatient,
  image: number,
  size: { width: number; height: number },
  noise: NoiseTiles,
): Uint8Array {
  const random = patient.random.fork(`image ${image}`);
  const { width, height } = size;
  const ground = { ...patient.tissue, noise, x: random.integer(512), y: random.integer(512) };
  const atypia = Math.max(0, Math.min(1, patient.atypia + 0.12 * random.normal()));
  const section = emptySection(width, height);
  const referenceHeight = height / section.scale;
  const architecture = arrangeTissue(patient.subtype, {
    random: random.fork("architecture"),
    noise,
    height: referenceHeight,
    atypia,
  });
  paintGround(section, architecture, ground);
  if (random.next() < 0.3 && architecture.mucin === 0) paintFat(section, architecture, random);
  populate({ section, architecture, ground, cytology: describeCells(patient, atypia), random });
  return photograph(section, patient.laboratory, noise, random.integer(1 << 18));
}

function describeCells(patient: DemoPatient, atypia: number): Cytology {
  const small = patient.subtype === "LC" ? 0.85 : 1;
  return {
    atypia: patient.subtype === "LC" ? 0.7 * atypia : atypia,
    nuclearRadius: (11 + 6.5 * atypia) * small * patient.nuclearScale,
    nuclearStain: patient.nuclearStain,
    mitoticRate: 0.035 * Math.max(0, atypia - 0.45),
    inflammation: patient.inflammation,
  };
}

function populate(scene: Scene): void {
  const taken = crowd();
  addStromalCells(scene, taken);
  addLymphocytes(scene, taken);
  if (scene.random.next() < 0.4) addCapillary(scene);
  addEpithelium(scene, taken);
}
