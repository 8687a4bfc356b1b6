// Dropping a CSV file anywhere on the page gives it to the bot's inbox.
import { toast } from "./dom.js";
import { store, on } from "./store.js";

let place = () => null;

async function give(file) {
  if (!file.name.toLowerCase().endsWith(".csv")) return toast(`${file.name} is not a CSV file. Drop a file whose name ends in .csv.`, "error");
  if (file.size > store.upload) return toast(`${file.name} is larger than ${Math.floor(store.upload / 1_048_576)} MiB, the most this page takes.`, "error");
  if (file.size > 4 << 20) toast(`Reading ${file.name}…`);
  const query = new URLSearchParams({ name: file.name, as: store.me, channel: place()?.id ?? "" });
  try {
    const answer = await fetch(`/do/upload?${query}`, { method: "POST", body: file }).then((response) => response.json());
    if (!answer.ok) toast(answer.text, "error");
  } catch {
    toast(`${file.name} did not arrive. Try it again.`, "error");
  }
}

export function startUpload(currentPlace) {
  place = currentPlace;
  const zone = document.getElementById("drop");
  const input = document.getElementById("file");
  const attach = document.getElementById("attach");
  const carriesFile = (event) => store.upload !== null && event.dataTransfer?.types.includes("Files");
  let depth = 0;
  addEventListener("dragenter", (event) => {
    if (!carriesFile(event)) return;
    depth += 1;
    zone.hidden = false;
  });
  addEventListener("dragleave", () => {
    depth = Math.max(depth - 1, 0);
    zone.hidden = depth === 0;
  });
  addEventListener("dragover", (event) => {
    if (carriesFile(event)) event.preventDefault();
  });
  addEventListener("drop", (event) => {
    depth = 0;
    zone.hidden = true;
    if (!carriesFile(event)) return;
    event.preventDefault();
    for (const file of event.dataTransfer.files) give(file);
  });
  attach.addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    for (const file of input.files) give(file);
    input.value = "";
  });
  on("ready", () => { attach.hidden = store.upload === null; });
}
