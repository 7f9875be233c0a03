// Calls the server at SERVER with the npm packages remove.bg and removebg-wrapper, as
// their users do, and prints what the first returns, one JSON document a line; the second
// writes output.png.
const request = require("request");
const { post: send } = request;
request.post = (options, done) => send({ ...options, url: options.url.replace("https://api.remove.bg", process.env.SERVER) }, done);
const wrapper = require("removebg-wrapper");
const unirest = require("unirest");
const post = unirest.post;
unirest.post = (url) => post(url.replace("https://api.remove.bg", process.env.SERVER));
const client = require("remove.bg");
const fs = require("fs");

const path = process.argv[2];
const apiKey = "anything";
const calls = [
  () => client.removeBackgroundFromImageFile({ path, apiKey, size: "regular", type: "person" }),
  () => client.removeBackgroundFromImageFile({
    path, apiKey, size: "full", crop: true, crop_margin: "10px", bg_color: "ff0000", scale: "80%", position: "center",
    roi: "0% 0% 100% 100%", channels: "rgba", add_shadow: true,
  }),
  () => client.removeBackgroundFromImageBase64({ base64img: fs.readFileSync(path).toString("base64"), apiKey, size: "full" }),
  () => client.removeBackgroundFromImageUrl({ url: "http://127.0.0.1/photo.jpg", apiKey }),
  () => client.removeBackgroundFromImageBase64({ base64img: "bm8gcGhvdG8=", apiKey }),
];

(async () => {
  for (const call of calls) {
    console.log(JSON.stringify(await call().catch((errors) => ({ errors }))));
  }
  await wrapper.rbFromImageFile(path, apiKey);
})();
