package video

import (
	"testing"

	"bgremover.pro/core/cutout"
)

func TestDescriptionsAreReadDefensively(t *testing.T) {
	for name, c := range map[string]struct {
		json string
		want Clip
	}{
		"usual": {`{"streams":[{"codec_type":"video","width":1280,"height":720,"avg_frame_rate":"30000/1001","duration":"10.0","color_space":"bt709"},
			{"codec_type":"audio","codec_name":"aac"}],"format":{"duration":"10.1"}}`, Clip{1280, 720, "30000/1001", 300, "aac", false}},
		"turned, as older ffmpeg says it": {`{"streams":[{"codec_type":"video","width":1280,"height":720,"avg_frame_rate":"25/1","tags":{"rotate":"90"}}]}`, Clip{720, 1280, "25/1", 0, "", true}},
		"turned, as newer ffmpeg says it": {`{"streams":[{"codec_type":"video","width":1280,"height":720,"avg_frame_rate":"25/1","side_data_list":[{"side_data_type":"x"},{"rotation":-90}]}]}`, Clip{720, 1280, "25/1", 0, "", true}},
		"upside down":                     {`{"streams":[{"codec_type":"video","width":8,"height":4,"avg_frame_rate":"25","side_data_list":[{"rotation":180}]}]}`, Clip{8, 4, "25", 0, "", true}},
		"oblong pixels":                   {`{"streams":[{"codec_type":"video","width":720,"height":576,"sample_aspect_ratio":"64:45","avg_frame_rate":"25/1"}]}`, Clip{1024, 576, "25/1", 0, "", true}},
		"no rate":                         {`{"streams":[{"codec_type":"video","width":8,"height":4,"avg_frame_rate":"0/0","r_frame_rate":"90000/1","nb_frames":"7"}]}`, Clip{8, 4, "25", 7, "", true}},
		"no average rate":                 {`{"streams":[{"codec_type":"video","width":8,"height":4,"r_frame_rate":"50/1"}]}`, Clip{8, 4, "50/1", 0, "", true}},
		"a cover first":                   {`{"streams":[{"codec_type":"video","width":99,"height":99,"disposition":{"attached_pic":1}},{"codec_type":"video","width":8,"height":4}]}`, Clip{8, 4, "25", 0, "", true}},
		"numbers as strings":              {`{"streams":[{"codec_type":"video","width":"8","height":"4","duration":2}]}`, Clip{8, 4, "25", 50, "", true}},
		"kinds of its own":                {`{"streams":[null,7,{"codec_type":"video","width":8,"height":4,"tags":[],"side_data_list":{},"duration":{}}],"format":3}`, Clip{8, 4, "25", 0, "", true}},
	} {
		got, err := parseProbe([]byte(c.json))
		if err != nil || got != c.want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for name, text := range map[string]string{
		"nothing": "", "no JSON": "oops", "sound only": `{"streams":[{"codec_type":"audio"}]}`,
		"no size": `{"streams":[{"codec_type":"video"}]}`, "a size of nonsense": `{"streams":[{"codec_type":"video","width":-3,"height":1e300}]}`,
	} {
		if got, err := parseProbe([]byte(text)); cutout.CodeOf(err) != cutout.Invalid {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// FuzzProbe: whatever ffprobe says, a clip has a size and a rate that can be used.
func FuzzProbe(f *testing.F) {
	f.Add(`{"streams":[{"codec_type":"video","width":1280,"height":720,"avg_frame_rate":"30000/1001","duration":"10.0","sample_aspect_ratio":"4:3","side_data_list":[{"rotation":-90}]}]}`)
	f.Add(`{"streams":[{"codec_type":"video","width":1,"height":1,"avg_frame_rate":"1/0","r_frame_rate":"-5/1","tags":{"rotate":"NaN"},"nb_frames":"1e999"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseProbe([]byte(text))
		if err != nil {
			return
		}
		if rate := loose(c.Rate).ratio(); c.Width < 1 || c.Height < 1 || c.Frames < 0 || rate <= 0 || rate > mostRate {
			t.Errorf("%+v", c)
		}
	})
}
