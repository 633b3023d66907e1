/** The picture as it is seen, with its scale bar, as a PNG. */

import { byId, saveAs } from "../dom";

const MARGIN = 14;

export async function savePicture(name: string): Promise<void> {
  const shown = document.querySelector<HTMLCanvasElement>("#picture canvas");
  if (shown === null) throw new Error("there is no picture yet");
  const canvas = document.createElement("canvas");
  canvas.width = shown.width;
  canvas.height = shown.height;
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("this browser gives no canvas");
  context.fillStyle = "#000";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(shown, 0, 0);
  const ratio = shown.width / shown.clientWidth; // of screens with more pixels
  context.scale(ratio, ratio);
  drawRegions(context);
  drawScale(context, canvas.height / ratio);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
  if (blob === null) throw new Error("this browser makes no PNG of it");
  saveAs(blob, `${name}.png`);
}

function drawRegions(context: CanvasRenderingContext2D): void {
  context.strokeStyle = "#ffd84f";
  context.lineWidth = 2;
  for (const path of document.querySelectorAll("#drawn .region")) context.stroke(new Path2D(path.getAttribute("d") ?? ""));
}

function drawScale(context: CanvasRenderingContext2D, height: number): void {
  const width = byId("scale-bar").getBoundingClientRect().width;
  const text = byId("scale-text").textContent ?? "";
  context.font = "12px system-ui, sans-serif";
  context.fillStyle = "rgb(0 0 0 / 60%)";
  context.fillRect(MARGIN, height - MARGIN - 36, Math.max(width, context.measureText(text).width) + 18, 36);
  context.fillStyle = "#fff";
  context.fillText(text, MARGIN + 9, height - MARGIN - 18);
  context.fillRect(MARGIN + 9, height - MARGIN - 11, width, 3);
}
