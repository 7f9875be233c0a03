// How large the smaller copies of a picture are: its longer side, in pixels.

export const VIEW = 1600; // to look at
export const THUMB = 360; // in the gallery's list
