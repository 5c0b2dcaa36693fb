import { largest } from "./many";

/** A direction that a matrix only stretches, and by how much. */
export interface Eigenpair {
  value: number;
  /** Of length 1. */
  vector: number[];
}

const maximumSweeps = 60;

/**
 * Finds all eigenvectors of a small symmetric matrix by Jacobi rotations.
 *
 * Golub and Van Loan, Matrix Computations, section 8.5; meant for sizes up to a few dozen.
 *
 * @param matrix - Shape [n][n], symmetric.
 * @returns n pairs, the largest eigenvalue first.
 *
 * @example
 * symmetricEigenvectors([[2, 0], [0, 3]])[0]; // { value: 3, vector: [0, 1] }
 */
export function symmetricEigenvectors(matrix: readonly (readonly number[])[]): Eigenpair[] {
  const n = matrix.length;
  const a = matrix.map((row) => [...row]);
  const vectors = a.map((_, i) => a.map((__, j) => (i === j ? 1 : 0)));
  const scale = largest(a.map((row) => largest(row.map(Math.abs))));
  for (let sweep = 0; sweep < maximumSweeps; sweep += 1) {
    let largest = 0;
    for (let p = 0; p < n; p += 1) {
      for (let q = p + 1; q < n; q += 1) {
        largest = Math.max(largest, Math.abs(a[p]![q]!));
        if (a[p]![q] !== 0) rotatePair(a, vectors, p, q);
      }
    }
    if (largest <= 1e-15 * scale) break;
  }
  return vectors.map((vector, i) => ({ value: a[i]![i]!, vector })).sort((x, y) => y.value - x.value);
}

/** Makes the entry (p, q) zero by turning the plane of p and q; `vectors` holds one eigenvector a row. */
function rotatePair(a: number[][], vectors: number[][], p: number, q: number): void {
  const theta = (a[q]![q]! - a[p]![p]!) / (2 * a[p]![q]!);
  const tangent = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const cosine = 1 / Math.sqrt(tangent * tangent + 1);
  const sine = tangent * cosine;
  for (const row of a) {
    const [x, y] = [row[p]!, row[q]!];
    row[p] = cosine * x - sine * y;
    row[q] = sine * x + cosine * y;
  }
  for (const rows of [a, vectors]) {
    const [first, second] = [rows[p]!, rows[q]!];
    rows[p] = first.map((x, i) => cosine * x - sine * second[i]!);
    rows[q] = first.map((x, i) => sine * x + cosine * second[i]!);
  }
}
