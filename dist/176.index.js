const B=176,K=[176],o={176:((D,E,_)=>{_.d(E,{fromEnv:()=>M.sF});var M=_(8440),P=_(4323),s=_(3399),O=_(4288),n=_(4206),L=_(5081),A=_(6702)})};export{B as id,K as ids,o as modules};
