// The time bar: a slider over the day with a picture of how many carriers are out, and a play button.

const SPEEDS = [60, 300, 900];
const BINS = 120;

function activity() {
  const bins = Array.from({ length: BINS }, () => new Map());
  const width = (END_S - START_S) / BINS;
  for (const route of DATA.routes) {
    const first = Math.max(0, Math.floor((route.from - START_S) / width));
    const last = Math.min(BINS - 1, Math.floor((route.until - START_S) / width));
    for (let k = first; k <= last; k += 1) bins[k].set(route.category, (bins[k].get(route.category) || 0) + 1);
  }
  return bins;
}

function drawActivity(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  const bins = activity();
  const most = Math.max(1, ...bins.map((bin) => [...bin.values()].reduce((sum, count) => sum + count, 0)));
  bins.forEach((bin, k) => {
    let top = height;
    for (const kind of DATA.kinds) {
      if (state.hidden.has(kind.category) || !bin.has(kind.category)) continue;
      const tall = (bin.get(kind.category) / most) * height;
      pen.fillStyle = kind.colour;
      pen.globalAlpha = 0.55;
      pen.fillRect((k / BINS) * width, top - tall, width / BINS - 0.6, tall);
      top -= tall;
    }
  });
}

function makeClock(onTime) {
  const holder = document.getElementById("clock");
  const label = el("output.hour", { for: "time" });
  const count = el("span.count", {});
  const slider = el("input", {
    type: "range",
    id: "time",
    min: START_S,
    max: END_S,
    step: 30,
    value: state.time,
    oninput: () => setTime(Number(slider.value)),
  });
  const play = el("button.play", { type: "button", id: "play", onclick: () => setPlaying(!state.playing) });
  const canvas = el("canvas.activity", {});
  const speed = el("select", { id: "speed", onchange: () => (state.speed = Number(speed.value)) });
  holder.replaceChildren(play, el("div.track", {}, canvas, slider), el("div.read", {}, label, count), speed);
  let before = null;

  function setTime(time) {
    state.time = Math.min(END_S, Math.max(START_S, time));
    slider.value = state.time;
    slider.setAttribute("aria-valuetext", clock(state.time));
    label.textContent = clock(state.time);
    onTime();
    count.textContent = say("m_under_way", { count: state.underWay ?? 0 });
  }

  function setPlaying(isPlaying) {
    if (isPlaying && state.time >= END_S) setTime(START_S);
    state.playing = isPlaying;
    before = null;
    dress();
    if (isPlaying) requestAnimationFrame(step);
  }

  function step(now) {
    if (!state.playing) return;
    if (before !== null && now - before < 30) {
      requestAnimationFrame(step);
      return;
    }
    if (before !== null) setTime(state.time + (Math.min(250, now - before) / 1000) * state.speed);
    before = now;
    if (state.time >= END_S) setPlaying(false);
    else requestAnimationFrame(step);
  }

  function dress() {
    play.textContent = state.playing ? "❚❚" : "▶";
    play.setAttribute("aria-label", say(state.playing ? "m_pause" : "m_play"));
    slider.setAttribute("aria-label", say("m_time"));
    speed.setAttribute("aria-label", say("m_speed"));
    speed.replaceChildren(
      ...SPEEDS.map((value) =>
        el("option", { value, selected: value === state.speed }, say("m_per_second", { minutes: value / 60 })),
      ),
    );
    count.textContent = say("m_under_way", { count: state.underWay ?? 0 });
    drawActivity(canvas);
  }

  dress();
  return { setTime, setPlaying, dress };
}
