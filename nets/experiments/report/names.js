"use strict";
// Where names stand beside the points of a picture: a text position of Plotly for each, null for
// one without room, which hovering tells. Points are {x, y, name} in pixels; the first choose first.
function placed(points, width, height) {
  const SIDES = [["top left", -1, -1], ["bottom right", 1, 1], ["middle right", 1, 0],
    ["middle left", -1, 0], ["top right", 1, -1], ["bottom left", -1, 1]];
  const taken = points.map(p => [p.x - 6, p.y - 6, p.x + 6, p.y + 6]);
  const meets = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
  return points.map((p, own) => {
    const wide = 6.2 * p.name.length, high = 15;
    for (const [side, right, down] of SIDES) {
      const left = p.x + 7 * right + wide * (right - 1) / 2;
      const top = p.y + 7 * down + high * (down - 1) / 2;
      const box = [left, top, left + wide, top + high];
      if (left < 0 || box[2] > width || top < 0 || box[3] > height) continue;
      if (taken.some((other, i) => i !== own && meets(box, other))) continue;
      taken.push(box);
      return side;
    }
    return null;
  });
}
