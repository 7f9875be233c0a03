// Dropping photos, folders of them too, and pasting, on any page.

export function watchWays(take) {
  watchDrops(take);
  watchPaste(take);
}

function give(take, files) {
  if (files.length) take(files);
}

function watchDrops(take) {
  const veil = document.getElementById('veil');
  let own = false; // a picture dragged out of the page is not a new photo
  addEventListener('dragstart', () => {
    own = true;
  });
  addEventListener('dragend', () => {
    own = false;
  });
  const carriesFiles = (event) => !own && event.dataTransfer?.types.includes('Files');
  let depth = 0; // dragenter and dragleave fire for every element passed
  const lower = () => {
    depth = 0;
    veil.hidden = true;
  };
  addEventListener('dragenter', (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    depth += 1;
    veil.hidden = false;
  });
  addEventListener('dragleave', (event) => {
    if (carriesFiles(event) && --depth <= 0) lower();
  });
  addEventListener('dragover', (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = 'copy';
  });
  addEventListener('drop', async (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    lower();
    give(take, await dropped(event.dataTransfer));
  });
}

// dropped lists the files of a drop, and those inside dropped folders.
async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) return [...transfer.files];
  const files = [];
  for (const entry of entries) await collect(entry, files);
  return files.filter((file) => file.type.startsWith('image/') || /\.(heic|heif|avif|tiff?)$/i.test(file.name));
}

async function collect(entry, files) {
  if (entry.isFile) {
    files.push(await new Promise((resolve, reject) => entry.file(resolve, reject)));
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const batch = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!batch.length) return;
    for (const child of batch) await collect(child, files);
  }
}

function watchPaste(take) {
  addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    give(take, files);
  });
}
