#!/usr/bin/env bash
# zeromq 6.8.0 (npm): a publisher that sends without awaiting, as a Jupyter kernel that prints in a loop does, has its
# sends rejected with EBUSY once some hundred are under way in one turn of the event loop, although nobody is connected
# and a publisher drops what it cannot deliver. With sendTimeout = 0 none is rejected.
# Seen: of 2,000 sends most are rejected with code EBUSY; none with sendTimeout = 0.
# Exits 0 while this is so, 1 when it has changed.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y > /dev/null
npm install --silent --ignore-scripts --no-audit --no-fund zeromq@6.8.0
cat > try.cjs <<'JS'
const { Publisher } = require("zeromq");
async function rejected(options) {
  const socket = new Publisher(options);
  await socket.bind("tcp://127.0.0.1:*");
  const outcomes = await Promise.allSettled(Array.from({ length: 2000 }, (_, i) => {
    try { return socket.send(["topic", String(i)]); } catch (error) { return Promise.reject(error); }
  }));
  socket.close();
  return outcomes.flatMap(({ reason }) => (reason ? [reason.code ?? reason.message] : []));
}
(async () => {
  const [plain, patient] = [await rejected({}), await rejected({ sendTimeout: 0 })];
  console.log(`rejected of 2,000: ${plain.length} (${[...new Set(plain)]}); with sendTimeout 0: ${patient.length}`);
  process.exit(plain.length > 0 && plain.every((code) => code === "EBUSY") && patient.length === 0 ? 0 : 1);
})();
JS
node try.cjs
