/** What a check found: fine, with a remark, or not, with the remedy. */
export interface Finding {
  ok: boolean;
  text: string;
}

export interface DoctorCheck {
  name: string;
  run(): Promise<Finding>;
}

export const fine = (text: string): Finding => ({ ok: true, text });
export const bad = (text: string): Finding => ({ ok: false, text });
