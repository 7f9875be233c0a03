// Calls the server at SERVER with types generated from its own description (api.ts).
import { readFileSync } from "node:fs";
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

const client = createClient<paths>({ baseUrl: process.env["SERVER"]! });
const photo = new Blob([readFileSync(process.argv[2]!)]);
const form = (fields: Record<string, unknown>): FormData => {
  const f = new FormData();
  for (const [name, value] of Object.entries(fields)) f.set(name, value instanceof Blob ? value : String(value));
  return f;
};

const cutout = await client.POST("/api/v1/cutouts", {
  params: { query: { mode: "fast", format: "webp", crop: 5 } },
  body: photo as unknown as string,
  bodySerializer: (body) => body,
  headers: { "Content-Type": "application/octet-stream" },
  parseAs: "blob",
});
console.log("cutout", (cutout.data as unknown as Blob).type, cutout.response.headers.get("X-Model"));

// A choice that the description does not have is an error when compiling.
// @ts-expect-error
const wrong = await client.POST("/api/v1/cutouts", { params: { query: { mode: "slow" } }, body: "x" });
const problem: components["schemas"]["Problem"] | undefined = wrong.error;
console.log("problem", problem?.code, problem?.status);

const removed = await client.POST("/v1.0/removebg", {
  body: { image_file: photo as unknown as string, size: "preview", format: "png" },
  bodySerializer: form,
  headers: { Accept: "application/json" },
});
const result = removed.data as components["schemas"]["RemoveBGResult"];
console.log("removebg", Buffer.from(result.data.result_b64!, "base64").subarray(1, 4).toString(), result.data.foreground_width! > 0);

const account = await client.GET("/v1.0/account", {});
console.log("account", account.data!.data.attributes.api.sizes);

const mask = await client.POST("/api/remove", { body: { file: photo as unknown as string, om: true }, bodySerializer: form, parseAs: "blob" });
console.log("rembg", (mask.data as unknown as Blob).type);
const missing = await client.POST("/api/remove", { body: { file: "" }, bodySerializer: () => form({ om: true }) });
console.log("detail", JSON.stringify(missing.error?.detail));
