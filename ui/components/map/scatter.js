// The points on a canvas by WebGL: places lie in the graphics memory, and panning changes three numbers.

const MARGIN = 0.04; // of the map, around it
const [LEAST_ZOOM, MOST_ZOOM] = [0.7, 60];

const VERTEX = `#version 300 es
in vec2 place; in vec4 colour; uniform vec2 centre; uniform vec2 scale; uniform float size; out vec4 shade;
void main() { gl_Position = vec4((place - centre) * scale, 0.0, 1.0); gl_PointSize = size; shade = colour; }`;
const FRAGMENT = `#version 300 es
precision mediump float; in vec4 shade; out vec4 pixel;
void main() {
  float apart = length(gl_PointCoord - 0.5);
  if (apart > 0.5) discard;
  pixel = vec4(shade.rgb * shade.a, shade.a);
}`;

class Scatter {
  constructor(canvas) {
    this.canvas = canvas;
    this.gl = canvas.getContext("webgl2", { antialias: false, premultipliedAlpha: true });
    if (!this.gl) throw new Error("this browser draws no WebGL");
    const gl = this.gl;
    this.program = this._program();
    gl.useProgram(this.program);
    this.buffers = { place: gl.createBuffer(), colour: gl.createBuffer(), order: gl.createBuffer() };
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.count = 0;
    this.reset();
  }

  reset() {
    [this.x, this.y, this.zoom] = [0.5, 0.5, 1];
  }

  setPlaces(places) {
    this.count = places.length / 2;
    this._attribute("place", places, 2, this.gl.UNSIGNED_SHORT);
  }

  // Four bytes a point, and the order to draw them in: the last lies on top.
  setColours(colours, order) {
    this._attribute("colour", colours, 4, this.gl.UNSIGNED_BYTE);
    this.gl.bindBuffer(this.gl.ELEMENT_ARRAY_BUFFER, this.buffers.order);
    this.gl.bufferData(this.gl.ELEMENT_ARRAY_BUFFER, order, this.gl.STATIC_DRAW);
  }

  resize(width, height, density) {
    [this.width, this.height, this.density] = [width, height, density];
    [this.canvas.width, this.canvas.height] = [Math.round(width * density), Math.round(height * density)];
  }

  // Pixels of the page to one map.
  get unit() {
    return (Math.min(this.width, this.height) * this.zoom) / (1 + 2 * MARGIN);
  }

  // Of a point, pixels: few points are drawn larger, and all of them as the map is enlarged.
  get radius() {
    const least = 1.6 * Math.max(1, 25000 / Math.max(this.count, 640)) ** 0.25;
    return Math.min(7, least * this.zoom ** 0.45);
  }

  toScreen([x, y]) {
    return [(x - this.x) * this.unit + this.width / 2, (this.y - y) * this.unit + this.height / 2];
  }

  toMap([left, top]) {
    return [(left - this.width / 2) / this.unit + this.x, this.y - (top - this.height / 2) / this.unit];
  }

  pan(dx, dy) {
    this.x = Math.min(1.1, Math.max(-0.1, this.x - dx / this.unit));
    this.y = Math.min(1.1, Math.max(-0.1, this.y + dy / this.unit));
  }

  // Zoom so that what lies under (left, top) stays there.
  zoomAt(factor, left, top) {
    const before = this.toMap([left, top]);
    this.zoom = Math.min(MOST_ZOOM, Math.max(LEAST_ZOOM, this.zoom * factor));
    const after = this.toMap([left, top]);
    this.x += before[0] - after[0];
    this.y += before[1] - after[1];
  }

  draw() {
    const { gl, program } = this;
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.uniform2f(gl.getUniformLocation(program, "centre"), this.x, this.y);
    gl.uniform2f(gl.getUniformLocation(program, "scale"), (2 * this.unit) / this.width, (2 * this.unit) / this.height);
    gl.uniform1f(gl.getUniformLocation(program, "size"), 2 * this.radius * this.density);
    gl.drawElements(gl.POINTS, this.count, gl.UNSIGNED_INT, 0);
  }

  _attribute(name, values, width, type) {
    const { gl } = this;
    const at = gl.getAttribLocation(this.program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
    gl.enableVertexAttribArray(at);
    gl.vertexAttribPointer(at, width, type, true, 0, 0);
  }

  _program() {
    const { gl } = this;
    const program = gl.createProgram();
    for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program));
    return program;
  }
}
