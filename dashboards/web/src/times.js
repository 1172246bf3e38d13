// "3 minutes ago" stays true while the page is open. Words and the server's time come from <html>.

export function keepTimesFresh() {
  const words = document.documentElement.dataset;
  const offset = words.now ? Date.parse(words.now) - Date.now() : 0;
  window.setInterval(() => refresh(words, Date.now() + offset), 10000);
}

function refresh(words, now) {
  Array.from(document.querySelectorAll("time[data-ago]")).forEach((time) => {
    const text = ago(words, (now - Date.parse(time.getAttribute("datetime"))) / 1000);
    if (time.textContent !== text) time.textContent = text;
  });
}

function ago(words, seconds) {
  if (seconds < 60) return words.agoNow;
  if (seconds < 3600) return said(words.agoMinute, words.agoMinutes, seconds / 60);
  if (seconds < 86400) return said(words.agoHour, words.agoHours, seconds / 3600);
  return said(words.agoDay, words.agoDays, seconds / 86400);
}

function said(one, many, number) {
  const whole = Math.floor(number);
  return (whole === 1 ? one : many).replace("0", String(whole));
}
