#!/usr/bin/env bash
# check_report.sh REPORT.html [SCREENSHOT.png]: opens the report in headless Chromium and uses it as a reader would. Every figure must be
# drawn, show its values under the pointer, zoom (2D: a drag of the mouse; 3D: the camera) and export SVG.
# Status 0 all good, 1 not, 77 no browser here. Used by the tests of the program; useful by hand too.
set -euo pipefail
report=$(realpath "$1")
screenshot=${2:-}
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
[[ -n "$browser" ]] || { echo "skipped: needs chromium"; exit 77; }
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT
options=(--headless --no-sandbox --disable-gpu --enable-unsafe-swiftshader --disable-quic --no-first-run --disable-background-networking
  --disable-component-update --disable-sync --user-data-dir="$profile" --window-size=1200,1600 --virtual-time-budget=600000)

cat >"$profile/reader.html" <<'END_HTML'
<script>
(async () => {
  const wait = ms => new Promise(done => setTimeout(done, ms));
  const until = async (what, tries = 100) => { for (let k = 0; k < tries && !what(); ++k) await wait(50); return !!what(); };
  const mouse = (target, type, x, y) => target.dispatchEvent(new MouseEvent(type,
    {bubbles: true, cancelable: true, view: window, clientX: x, clientY: y, buttons: type === 'mouseup' ? 0 : 1}));
  const flat = async plot => {
    const layer = plot.querySelector('.nsewdrag');
    const box = layer.getBoundingClientRect();
    const inside = (x, y) => x > box.left && x < box.right && y > box.top && y < box.bottom;
    // The middle of a marker, or any point of a trace.
    const {_fullLayout: full, _fullData: traces} = plot;
    let hovered = false;
    for (const trace of traces) {
      for (let i = 0; i < trace.x.length && !hovered; i += Math.ceil(trace.x.length / 20)) {
        const x = box.left + full.xaxis.d2p(trace.x[i]), y = box.top + full.yaxis.d2p(trace.y[i]);
        if (!inside(x, y)) continue;
        mouse(layer, 'mouseover', x, y);
        mouse(layer, 'mousemove', x, y);
        hovered = await until(() => plot.querySelector('.hoverlayer .hovertext'), 10);
      }
      if (hovered) break;
    }
    const before = JSON.stringify(full.xaxis.range);
    const at = f => [box.left + f * box.width, box.top + f * box.height];
    mouse(layer, 'mousedown', ...at(0.3));
    mouse(document, 'mousemove', ...at(0.5));
    mouse(document, 'mousemove', ...at(0.7));
    mouse(document, 'mouseup', ...at(0.7));
    const zoomed = await until(() => JSON.stringify(plot._fullLayout.xaxis.range) !== before);
    return {hovered, zoomed};
  };
  const deep = async plot => {  // the place of a point on the screen, from the matrices of the camera
    const scene = plot._fullLayout.scene._scene;
    let hovered = false;
    plot.on('plotly_hover', () => { hovered = true; });
    const transform = (m, v) => [0, 1, 2, 3].map(r => m[r] * v[0] + m[4 + r] * v[1] + m[8 + r] * v[2] + m[12 + r] * v[3]);
    const box = scene.container.getBoundingClientRect();
    for (const trace of plot._fullData.filter(t => t.type === 'scatter3d' && t.hoverinfo !== 'skip')) {
      for (let i = 0; i < trace.x.length && !hovered; i += Math.ceil(trace.x.length / 10)) {
        if (trace.x[i] === null) continue;
        const {model, view, projection} = scene.glplot.cameraParams;
        let p = [trace.x[i], trace.y[i], trace.z[i]].map((value, k) => value * scene.dataScale[k]).concat(1);
        for (const matrix of [model, view, projection]) p = transform(matrix, p);
        const x = box.left + (0.5 + 0.5 * p[0] / p[3]) * box.width, y = box.top + (0.5 - 0.5 * p[1] / p[3]) * box.height;
        scene.glplot.canvas.dispatchEvent(new MouseEvent('mousemove', {bubbles: true, view: window, clientX: x, clientY: y}));
        await until(() => hovered, 10);
      }
    }
    const before = JSON.stringify(plot._fullLayout.scene.camera.eye);
    await Plotly.relayout(plot, {'scene.camera.eye': {x: 0.5, y: 0.5, z: 0.5}});
    return {hovered, zoomed: JSON.stringify(plot._fullLayout.scene.camera.eye) !== before};
  };
  for (const figure of document.querySelectorAll('figure')) {
    await until(() => figure.dataset.drawn);
    const plot = figure.querySelector('.plot');
    figure.scrollIntoView();
    try {
      const is3d = plot._fullLayout.scene;
      const {hovered, zoomed} = await (is3d ? deep : flat)(plot);
      const svg = decodeURIComponent(await Plotly.toImage(plot, {format: 'svg', width: 700, height: 500}));
      figure.dataset.hovered = hovered;
      figure.dataset.zoomed = zoomed;
      figure.dataset.svg = svg.startsWith('data:image/svg+xml') && svg.includes('</svg>');
      if (is3d) Plotly.purge(plot);  // ends its drawing loop, which would be paid for until the end of the virtual time
    } catch (error) { figure.dataset.error = error; }
  }
  document.body.dataset.read = 'true';
})();
</script>
END_HTML
sed '/<\/body><\/html>/d' "$report" >"$profile/report.html"
cat "$profile/reader.html" >>"$profile/report.html"
echo '</body></html>' >>"$profile/report.html"
dom=$(timeout 600 "$browser" "${options[@]}" --dump-dom "file://$profile/report.html" 2>"$profile/errors" || true)
figures=$(grep -o '<figure id=' "$report" | wc -l)
opened=$(grep -oE '<figure [^>]*data-[^>]*>' <<<"$dom" || true)
good=true
for what in drawn hovered zoomed svg; do
  count=$(grep -c "data-$what=\"true\"" <<<"$opened" || true)
  echo "$count of $figures figures: $what"
  ((figures > 0 && count == figures)) || good=false
done
[[ -z $screenshot ]] || timeout 300 "$browser" "${options[@]}" --screenshot="$screenshot" "file://$report" >/dev/null 2>&1
$good || { sed -E 's/title="[^"]*"//' <<<"$opened"; exit 1; }
