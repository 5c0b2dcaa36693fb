// Without anything of Node: the viewer's page asks too.

/** Anything that belongs to a patient: a prediction of an image, or of the patient. */
export interface Clustered {
  /** Items of one patient are drawn together; where the patient is not known, those of one file. */
  patient: string | null;
  label: number;
  file?: string;
}

/** Who is drawn together: a patient, or an image whose patient is not known. */
export const clusterOf = ({ patient, file }: Clustered): string =>
  patient === null ? `image ${file ?? ""}` : `patient ${patient}`;
