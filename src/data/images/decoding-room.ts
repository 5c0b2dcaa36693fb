/** Decoded images that wait to be resized hold at most so much memory together; a single larger one goes alone. */
const roomBytes = 1024 * 1024 * 1024;

interface Waiting {
  bytes: number;
  start: () => void;
}

const waiting: Waiting[] = [];
let taken = 0;

function admit(): void {
  while (waiting[0] !== undefined && (taken === 0 || taken + waiting[0].bytes <= roomBytes)) {
    const { bytes, start } = waiting.shift()!;
    taken += bytes;
    start();
  }
}

/** Does something that holds so many bytes of decoded pixels, as soon as there is room for them; first come, first served. */
export async function withDecodingRoom<T>(bytes: number, work: () => Promise<T>): Promise<T> {
  await new Promise<void>((start) => {
    waiting.push({ bytes, start });
    admit();
  });
  try {
    return await work();
  } finally {
    taken -= bytes;
    admit();
  }
}
