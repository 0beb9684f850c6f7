/** Up to 64 loudness values 0..100 as bars; those already played are lit. */
export function Waveform({ values, share }: { values: readonly number[]; share: number }) {
  const bars = values.length ? values : Array.from({ length: 32 }, () => 12);
  const step = 130 / bars.length;
  return (
    <svg class="wave" viewBox="0 0 130 32" preserveAspectRatio="none" aria-hidden="true">
      {bars.map((value, at) => {
        const height = 3 + (value / 100) * 27;
        const lit = share > 0 && at / bars.length > share ? "later" : "";
        return <rect key={at} class={lit} x={at * step} y={16 - height / 2} width={step * 0.65} height={height} rx="1" />;
      })}
    </svg>
  );
}
