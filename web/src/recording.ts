import { MediaTrouble, openMicrophone } from "./microphone";

/** A MediaRecorder and the loudness beside it. */
export class Recording {
  private stream: MediaStream | null = null;
  private recorder: MediaRecorder | null = null;
  private context: AudioContext | null = null;
  private readonly parts: Blob[] = [];
  private stopped = false;

  constructor(private readonly told: (level: number) => void) {}

  async start(): Promise<void> {
    this.stream = await openMicrophone();
    if (this.stopped) return this.stop();
    if (typeof MediaRecorder === "undefined") throw new MediaTrouble("no_webrtc");
    const type = ["audio/webm;codecs=opus", "audio/mp4"].find((one) => MediaRecorder.isTypeSupported(one));
    this.recorder = new MediaRecorder(this.stream, { ...(type ? { mimeType: type } : {}), audioBitsPerSecond: 32_000 });
    this.recorder.ondataavailable = (event) => this.parts.push(event.data);
    this.recorder.start(1_000);
    this.listen(this.stream);
  }

  finish(): Promise<Blob | null> {
    const { recorder } = this;
    if (!recorder || recorder.state === "inactive") return Promise.resolve(null);
    return new Promise((resolve) => {
      recorder.onstop = () => resolve(new Blob(this.parts, { type: recorder.mimeType }));
      recorder.stop();
      this.stop();
    });
  }

  stop(): void {
    this.stopped = true;
    this.stream?.getTracks().forEach((track) => track.stop());
    void this.context?.close().catch(() => undefined);
    this.context = null;
  }

  private listen(stream: MediaStream): void {
    const context = new AudioContext();
    this.context = context;
    const analyser = context.createAnalyser();
    context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const look = () => {
      if (this.context !== context) return;
      analyser.getFloatTimeDomainData(samples);
      const loud = Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length);
      this.told(Math.min(1, loud * 6));
      requestAnimationFrame(look);
    };
    look();
  }
}
